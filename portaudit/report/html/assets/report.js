"use strict";
// What the page of a report adds for whoever has scripts: the tree of the training path, the map of
// the repository, every finding with filters that live in the address. All that it shows of the
// audited code it sets as text: nothing here reads markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SEVERITIES = ["info", "minor", "major", "blocker"];
  const PAGE = 50;
  const byId = (id) => document.getElementById(id);
  const number = (value) => value.toLocaleString("en-US");
  const plural = (value, word) => `${number(value)} ${word}${value === 1 ? "" : "s"}`;
  const points = (value) => (value >= 0.05 ? value.toFixed(1).replace(/\.0$/, "") : "under 0.1");

  // --- nodes -----------------------------------------------------------------------------------

  const filled = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined)
        node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  };
  const make = (tag, attributes, ...children) =>
    filled(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) =>
    filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  // What stands in backticks is code.
  const inline = (text) =>
    text.split(/`([^`]+)`/).map((part, at) => (at % 2 ? make("code", null, part) : part));
  const pill = (severity) => make("span", { class: `pill ${severity}` }, severity);
  const quoted = (path) => path.split("/").map(encodeURIComponent).join("/");
  const place = (path, line) => {
    // A path may be broken after its slashes.
    const text = (line ? `${path}:${line}` : path)
      .split(/(?<=\/)/)
      .flatMap((part, at) => (at ? [make("wbr"), part] : [part]));
    if (!data.link) return make("span", { class: "place" }, text);
    const href = data.link + quoted(path) + (line ? `#L${line}` : "");
    return make("a", { class: "place", rel: "noreferrer", href }, text);
  };

  // --- findings --------------------------------------------------------------------------------

  const findings = data.findings.map((row, order) => {
    const [path, line, column, rule, effective, severity, category, reach] = row;
    const [guard, confidence, state, cause, message, facts, code, scope, by, accepted] =
      row.slice(8);
    return {
      order,
      path: data.paths[path],
      line,
      column,
      rule,
      severity: SEVERITIES[effective],
      own: SEVERITIES[severity],
      category: data.words[category],
      reach: data.words[reach],
      guard: data.words[guard],
      confidence: data.words[confidence],
      state: data.words[state],
      cause,
      message: data.messages[message],
      facts: data.facts[facts],
      status: data.facts[facts][0],
      code,
      scope: data.scopes[scope],
      by: by < 0 ? null : data.guards[by],
      accepted: accepted ?? "",
    };
  });
  const onPath = (finding) => finding.reach === "main" || finding.reach === "unknown";
  const causeOf = (at) => (at ? data.causes[at - 1] : null);

  // --- the address -----------------------------------------------------------------------------

  const FACETS = [
    ["severity", "Severity"],
    ["state", "State"],
    ["reach", "Reach"],
    ["guard", "Guard"],
    ["category", "Category"],
    ["rule", "Rule"],
    ["status", "Status on the target"],
    ["confidence", "Confidence"],
  ];
  const WORDS = ["path", "text"];
  const ORDERS = { grave: "Gravest first", path: "By path", rule: "By rule" };
  const nothing = () => ({
    ...Object.fromEntries(FACETS.map(([name]) => [name, new Set()])),
    path: "",
    text: "",
    cause: 0,
    sort: "grave",
  });
  let state = nothing();

  const fromAddress = (fragment) => {
    const given = new URLSearchParams(fragment);
    const found = nothing();
    for (const [name] of FACETS)
      for (const value of (given.get(name) ?? "").split(",").filter(Boolean))
        found[name].add(value);
    for (const name of WORDS) found[name] = given.get(name) ?? "";
    const cause = Number(given.get("cause"));
    found.cause = Number.isInteger(cause) && causeOf(cause) ? cause : 0;
    if (given.get("sort") in ORDERS) found.sort = given.get("sort");
    return found;
  };
  const toAddress = () => {
    const parts = [];
    const add = (name, value) => parts.push(`${name}=${encodeURIComponent(value)}`);
    for (const [name] of FACETS)
      if (state[name].size) parts.push(`${name}=${[...state[name]].map(encodeURIComponent)}`);
    for (const name of WORDS) if (state[name]) add(name, state[name]);
    if (state.cause) add("cause", state.cause);
    if (state.sort !== "grave") add("sort", state.sort);
    return parts.length ? `#${parts.join("&")}` : "#findings";
  };
  const changed = (change) => {
    Object.assign(state, change);
    history.replaceState(null, "", toAddress());
    explorer?.show();
  };

  // --- the list of findings --------------------------------------------------------------------

  const haystack = (finding) =>
    (finding.words ??= [
      finding.message,
      finding.path,
      finding.rule,
      finding.scope,
      finding.code.join(""),
      data.rules[finding.rule]?.[0] ?? "",
    ]
      .join("\n")
      .toLowerCase());

  // What matches, and for each choice how many would if it were made.
  const search = () => {
    const path = state.path.toLowerCase();
    const text = state.text.toLowerCase();
    const counts = Object.fromEntries(FACETS.map(([name]) => [name, new Map()]));
    const add = (name, value) => counts[name].set(value, (counts[name].get(value) ?? 0) + 1);
    const found = [];
    for (const finding of findings) {
      if (state.cause && finding.cause !== state.cause) continue;
      if (path && !finding.path.toLowerCase().includes(path)) continue;
      if (text && !haystack(finding).includes(text)) continue;
      const failed = FACETS.filter(
        ([name]) => state[name].size && !state[name].has(finding[name]),
      );
      if (failed.length === 0) {
        found.push(finding);
        for (const [name] of FACETS) add(name, finding[name]);
      } else if (failed.length === 1) {
        add(failed[0][0], finding[failed[0][0]]);
      }
    }
    const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
    if (state.sort === "path")
      found.sort((a, b) => compare(a.path, b.path) || a.line - b.line || a.order - b.order);
    if (state.sort === "rule") found.sort((a, b) => compare(a.rule, b.rule) || a.order - b.order);
    return { found, counts };
  };

  const detail = (finding) => {
    const [status, evidence, sdk, checked, source, replacement, note] = finding.facts;
    const cause = causeOf(finding.cause);
    const [before, marked, after] = finding.code;
    const parts = [];
    if (marked || before || after)
      parts.push(
        make(
          "figure",
          { class: `frame ${finding.severity}` },
          make("figcaption", null, place(finding.path, finding.line), finding.scope ? ` in ${finding.scope}` : ""),
          make(
            "pre",
            { tabindex: 0, role: "group", "aria-label": `${finding.path}:${finding.line}` },
            make(
              "span",
              { class: "line hit" },
              make("span", { class: "no" }, String(finding.line)),
              make("code", null, before, make("mark", null, marked), after),
            ),
          ),
        ),
      );
    if (finding.by) {
      const [words, path, line, text] = finding.by;
      parts.push(make("p", null, make("b", null, words), ": ", place(path, line), " ", make("code", null, text)));
    }
    if (finding.accepted) parts.push(make("p", null, make("b", null, "Suppressed"), `: ${finding.accepted}`));
    parts.push(
      make(
        "p",
        null,
        make("span", { class: `status ${status}` }, status),
        ` on ${data.target} (${evidence}, ${/^\d/.test(sdk) ? "SDK " : ""}${sdk}, checked ${checked}) `,
        source ? make("a", { href: source, rel: "noreferrer" }, "Source") : null,
      ),
    );
    if (note) parts.push(make("p", null, inline(note)));
    if (replacement) parts.push(make("p", null, make("b", null, "Instead"), " ", make("code", null, replacement)));
    const own = finding.own === finding.severity ? "" : `, ${finding.own} without its guard`;
    parts.push(
      make(
        "p",
        { class: "dim" },
        `Reach ${finding.reach}, guard ${finding.guard}${own}, ${finding.confidence} confidence, ${finding.category}`,
      ),
    );
    if (cause) {
      const [title, , , card] = cause;
      parts.push(
        make(
          "p",
          null,
          "Root cause: ",
          card ? make("a", { href: `#cause-${finding.cause}` }, inline(title)) : inline(title),
        ),
      );
    }
    return make("div", { class: "detail" }, parts);
  };

  const row = (finding) => {
    const where = [place(finding.path, finding.line), make("span", { class: "rule" }, finding.rule)];
    const notes = [];
    if (finding.guard !== "none") notes.push(finding.guard);
    if (finding.reach !== "main") notes.push(finding.reach === "unknown" ? "reach unknown" : finding.reach);
    if (finding.confidence !== "high") notes.push(`${finding.confidence} confidence`);
    if (finding.state) notes.push(finding.state);
    where.push(...notes.map((note) => make("span", null, note)));
    const node = make(
      "details",
      {
        class: "finding",
        ontoggle: () => {
          if (node.open && node.childElementCount === 1) node.append(detail(finding));
        },
      },
      make(
        "summary",
        null,
        make("span", null, pill(finding.severity)),
        make(
          "span",
          { class: "what" },
          inline(finding.message),
          make("span", { class: "where" }, where),
        ),
      ),
    );
    return node;
  };

  class Explorer {
    constructor(home) {
      this.page = 0;
      this.more = new Set();
      this.total = make("span", { class: "total", role: "status" });
      this.chips = make("span", { class: "chips" });
      this.rows = make("div", { class: "rows" });
      this.pager = make("div", { class: "pager" });
      this.facets = make("div");
      this.inputs = Object.fromEntries(WORDS.map((name) => [name, this.input(name)]));
      this.order = make(
        "select",
        { class: "quiet", "aria-label": "Order", onchange: () => this.set({ sort: this.order.value }) },
        Object.entries(ORDERS).map(([value, text]) => make("option", { value }, text)),
      );
      this.clear = make("button", { type: "button", class: "quiet", onclick: () => this.set(nothing()) }, "Clear");
      const fields = { path: "Path", text: "Text" };
      this.filters = make(
        "details",
        { class: "filters", open: innerWidth > 860 },
        make("summary", null, "Filters"),
        WORDS.map((name) => make("label", { class: "field" }, fields[name], this.inputs[name])),
        this.facets,
      );
      home.append(
        make(
          "div",
          { class: "explorer" },
          this.filters,
          make(
            "div",
            { class: "results" },
            make("div", { class: "results-top" }, this.total, this.chips, this.clear, this.order),
            this.rows,
            this.pager,
          ),
        ),
      );
    }

    input(name) {
      let waiting = 0;
      const node = make("input", {
        type: "search",
        autocomplete: "off",
        spellcheck: "false",
        placeholder: name === "path" ? "models/" : "message, code, rule",
        oninput: () => {
          clearTimeout(waiting);
          waiting = setTimeout(() => this.set({ [name]: node.value.trim() }), 120);
        },
      });
      return node;
    }

    set(change) {
      this.page = 0;
      changed(change);
    }

    show() {
      const { found, counts } = search();
      const pages = Math.max(1, Math.ceil(found.length / PAGE));
      this.page = Math.min(this.page, pages - 1);
      const first = this.page * PAGE;
      const shown = found.slice(first, first + PAGE);
      const all = findings.length;
      this.total.textContent =
        found.length === all ? plural(all, "finding") : `${number(found.length)} of ${plural(all, "finding")}`;
      this.rows.replaceChildren(...shown.map(row));
      if (!shown.length) this.rows.append(make("p", { class: "dim" }, "Nothing matches all of these filters."));
      this.showFacets(counts);
      this.showChips();
      for (const name of WORDS)
        if (document.activeElement !== this.inputs[name]) this.inputs[name].value = state[name];
      this.order.value = state.sort;
      const turn = (by) => () => {
        this.page += by;
        this.show();
        byId("findings").scrollIntoView();
      };
      const button = (text, by, disabled) =>
        make("button", { type: "button", class: "quiet", disabled, onclick: turn(by) }, text);
      this.pager.hidden = pages === 1;
      this.pager.replaceChildren(
        button("Previous", -1, this.page === 0),
        `${number(first + 1)} to ${number(first + shown.length)} of ${number(found.length)}`,
        button("Next", 1, this.page === pages - 1),
      );
    }

    showChips() {
      const chips = [];
      const cause = causeOf(state.cause);
      if (cause) chips.push(`root cause ${state.cause}: ${cause[0].replaceAll("`", "")}`);
      for (const [name] of FACETS) if (state[name].size) chips.push(`${name}: ${[...state[name]].join(", ")}`);
      for (const name of WORDS) if (state[name]) chips.push(`${name}: ${state[name]}`);
      this.chips.replaceChildren(...chips.map((text) => make("span", { class: "chip", title: text }, text)));
      this.clear.hidden = !chips.length;
    }

    showFacets(counts) {
      const focused = document.activeElement?.dataset?.choice;
      this.facets.replaceChildren(
        ...FACETS.map(([name, title]) => this.facet(name, title, counts[name])).filter(Boolean),
      );
      if (focused) this.facets.querySelector(`[data-choice="${CSS.escape(focused)}"]`)?.focus();
    }

    facet(name, title, counts) {
      for (const value of state[name]) if (!counts.has(value)) counts.set(value, 0);
      let values = [...counts.keys()].filter((value) => value || name !== "state");
      if (!values.length || (values.length === 1 && !state[name].size)) return null;
      const rank = (value) => (name === "severity" ? SEVERITIES.indexOf(value) : counts.get(value));
      values.sort((one, other) => rank(other) - rank(one) || (one < other ? -1 : 1));
      const most = 8;
      const many = values.length > most + 2;
      if (many && !this.more.has(name))
        values = values.filter((value, at) => at < most || state[name].has(value));
      const choices = values.map((value) => this.choice(name, value, counts.get(value)));
      if (many)
        choices.push(
          make(
            "button",
            {
              type: "button",
              class: "quiet",
              "data-choice": `${name} more`,
              onclick: () => {
                if (!this.more.delete(name)) this.more.add(name);
                this.show();
              },
            },
            this.more.has(name) ? "Fewer" : `All ${counts.size}`,
          ),
        );
      return make("fieldset", null, make("legend", null, title), choices);
    }

    choice(name, value, found) {
      const words = name === "rule" ? `${value} ${data.rules[value]?.[0] ?? ""}` : value || "none";
      const box = make("input", {
        type: "checkbox",
        "data-choice": `${name} ${value}`,
        onchange: () => {
          const set = new Set(state[name]);
          if (box.checked) set.add(value);
          else set.delete(value);
          this.set({ [name]: set });
        },
      });
      box.checked = state[name].has(value);
      return make(
        "label",
        { class: found ? "choice" : "choice empty", title: words },
        box,
        make("span", { class: "name" }, words),
        make("span", { class: "count" }, number(found)),
      );
    }
  }

  // --- the map of the repository ---------------------------------------------------------------

  const MEASURES = {
    points: ["Points", (value) => `${points(value)} points`],
    places: ["Places", (value) => plural(value, "place")],
  };

  const CELLS = 90;
  const LEAST = 0.02;

  class Folders {
    constructor() {
      const files = new Map();
      const file = (path) => {
        if (!files.has(path)) files.set(path, { path, points: 0, places: 0, rank: 0, on: -1 });
        return files.get(path);
      };
      for (const [at, value] of Object.entries(data.points)) file(data.paths[at]).points = value;
      for (const finding of findings) {
        if (finding.state === "suppressed") continue;
        const found = file(finding.path);
        const rank = SEVERITIES.indexOf(finding.severity);
        found.places += 1;
        found.rank = Math.max(found.rank, rank);
        if (onPath(finding)) found.on = Math.max(found.on, rank);
      }
      this.files = [...files.values()];
    }

    // The folders that hold what weighs something; one that holds nothing but another is joined.
    tree(measure) {
      const root = { name: "", path: "", below: new Map() };
      for (const file of this.files) {
        const value = file[measure];
        if (!(value > 0)) continue;
        let at = root;
        const names = file.path.split("/");
        names.slice(0, -1).forEach((name, depth) => {
          if (!at.below.has(name))
            at.below.set(name, {
              name,
              path: names.slice(0, depth + 1).join("/"),
              below: new Map(),
            });
          at = at.below.get(name);
        });
        const rank = measure === "points" && file.on >= 0 ? file.on : file.rank;
        at.below.set(`${names.at(-1)}\n`, { name: names.at(-1), path: file.path, value, rank });
      }
      return this.joined(root);
    }

    joined(folder) {
      if (!folder.below) return folder;
      folder.nodes = [...folder.below.values()].map((each) => this.joined(each));
      while (folder.path && folder.nodes.length === 1 && folder.nodes[0].nodes) {
        const [only] = folder.nodes;
        folder.name += `/${only.name}`;
        folder.path = only.path;
        folder.nodes = only.nodes;
      }
      folder.value = folder.nodes.reduce((sum, each) => sum + each.value, 0);
      folder.rank = Math.max(0, ...folder.nodes.map((each) => each.rank));
      return folder;
    }
  }

  class Treemap {
    constructor(home) {
      this.folders = new Folders();
      this.measure = Object.keys(data.points).length ? "points" : "places";
      this.crumbs = make("div", { class: "crumbs" });
      this.map = make("div", { class: "map" });
      home.append(this.crumbs, this.map);
      this.at = [];
      this.enter([]);
      let width = innerWidth;
      addEventListener("resize", () => {
        if (innerWidth !== width) this.show();
        width = innerWidth;
      });
    }

    enter(names) {
      this.at = names;
      this.show();
    }

    use(measure) {
      this.measure = measure;
      this.enter([]);
    }

    show() {
      const root = this.folders.tree(this.measure);
      const way = [root];
      for (const path of this.at) {
        const next = way.at(-1).nodes?.find((each) => each.path === path);
        if (!next?.nodes) break;
        way.push(next);
      }
      this.showCrumbs(way);
      this.showMap(way.at(-1));
    }

    showCrumbs(way) {
      const steps = way.flatMap((folder, depth) => {
        const name = folder.name || "all files";
        const here = depth === way.length - 1;
        const step = here
          ? make("b", null, name)
          : make(
              "button",
              { type: "button", onclick: () => this.enter(this.at.slice(0, depth)) },
              name,
            );
        return depth ? ["/", step] : [step];
      });
      const by = Object.keys(data.points).length
        ? make(
            "span",
            { class: "by", role: "group", "aria-label": "Size" },
            Object.entries(MEASURES).map(([measure, [title]]) =>
              make(
                "button",
                {
                  type: "button",
                  "aria-pressed": String(measure === this.measure),
                  onclick: () => this.use(measure),
                },
                title,
              ),
            ),
          )
        : null;
      this.crumbs.replaceChildren(...steps, ...(by ? [by] : []));
    }

    showMap(folder) {
      const [width, height] = [this.map.clientWidth || 800, this.map.clientHeight || 420];
      const rooted = charts
        .hierarchy({ nodes: folder.nodes, depth: 0 }, (node) => node.nodes)
        .sum((node) => (node.nodes ? 0 : node.value));
      rooted.sort((one, other) => other.value - one.value);
      this.prune(rooted);
      charts
        .treemap()
        .tile(charts.treemapSquarify)
        .size([width, height])
        .paddingTop((node) => (node.depth && node.children ? 19 : 0))
        .paddingRight((node) => (node.depth && node.children ? 2 : 0))
        .paddingBottom((node) => (node.depth && node.children ? 2 : 0))
        .paddingLeft((node) => (node.depth && node.children ? 2 : 0))(rooted);
      // A folder with no room for its name and what it holds stays closed.
      rooted.each((node) => {
        if (node.depth && (node.x1 - node.x0 < 72 || node.y1 - node.y0 < 58)) delete node.children;
      });
      const cells = rooted
        .descendants()
        .slice(1)
        .filter((node) => node.x1 - node.x0 >= 4 && node.y1 - node.y0 >= 4)
        .map((node) => this.cell(node));
      this.map.replaceChildren(...cells);
    }

    // The folders that weigh most are taken apart; any other is one area.
    prune(rooted) {
      const opened = new Set([rooted]);
      const waiting = [...rooted.children ?? []];
      let cells = waiting.length;
      while (cells < CELLS) {
        waiting.sort((one, other) => one.value - other.value);
        const node = waiting.pop();
        if (!node || node.value < rooted.value * LEAST) break;
        if (!node.children) continue;
        opened.add(node);
        waiting.push(...node.children);
        cells += node.children.length - 1;
      }
      rooted.each((node) => {
        if (!opened.has(node)) delete node.children;
      });
    }

    cell(node) {
      const { data: file } = node;
      const words = MEASURES[this.measure][1](node.value);
      const outer = Boolean(node.children);
      const [width, height] = [node.x1 - node.x0, node.y1 - node.y0];
      const tall = height >= 36 && width >= 40;
      const named = height >= 18 && width >= 28;
      const severity = SEVERITIES[file.rank];
      const name = file.nodes ? `${file.name}/` : file.name;
      const cell = make(
        "button",
        {
          type: "button",
          class: outer ? "folder" : severity,
          title: `${file.path}${file.nodes ? "/" : ""}: ${words}, ${severity}`,
          "aria-label": `${file.path}, ${words}, ${severity}`,
          onclick: () => this.open(node),
        },
        named || outer ? make("span", null, name) : null,
        tall && !outer ? make("span", { class: "amount" }, words) : null,
      );
      // Gaps are drawn, not laid out: many small areas would not fit between them.
      cell.style.left = `${node.x0 + 1}px`;
      cell.style.top = `${node.y0 + 1}px`;
      cell.style.width = `${width - 2}px`;
      cell.style.height = `${height - 2}px`;
      return cell;
    }

    open(node) {
      const way = node.ancestors().reverse().slice(1);
      const { data: file } = node;
      if (file.nodes) this.enter([...this.at, ...way.map((each) => each.data.path)]);
      else location.hash = `path=${encodeURIComponent(file.path)}`;
    }
  }

  // --- the tree of the training path -----------------------------------------------------------

  const ROW = 24;
  const GAP = 26;
  const LONGEST = 56;
  const SHOWN = 42;

  class Path {
    constructor(home) {
      const nodes = data.tree.map(([above, kind, path, label, line, rank, below, places]) => ({
        above,
        kind,
        path: data.paths[path],
        label,
        line,
        rank,
        below,
        places,
        cause: 0,
        files: 0,
        all: 0,
        nodes: [],
        open: false,
      }));
      const held = this.held();
      for (const node of nodes) {
        const here = node.rank >= 0 ? held.get(node.path) : null;
        node.nodes = (here ?? []).map((cause) => ({ ...cause, parent: node, nodes: [] }));
      }
      for (const node of nodes) {
        node.parent = node.above < 0 ? null : nodes[node.above];
        node.parent?.nodes.push(node);
      }
      for (const node of [...nodes].reverse()) {
        // What is graver comes first; of what is as grave, the file's own.
        node.nodes.sort((one, other) => other.below - one.below);
        node.all += node.nodes.length;
        node.files += node.nodes.filter((each) => !each.cause).length;
        if (node.parent) {
          node.parent.all += node.all;
          node.parent.files += node.files;
        }
      }
      [this.root] = nodes;
      this.openGravest();
      this.selected = this.gravest();
      this.pen = document.createElement("canvas").getContext("2d");
      this.svg = draw("svg", { role: "tree", "aria-label": "The training path by imports" });
      this.scroll = make("div", { class: "tree-scroll" }, this.svg);
      this.side = make("div", { class: "tree-side", "aria-live": "polite" });
      home.append(make("div", { class: "tree-view" }, this.scroll, this.side));
      this.svg.addEventListener("keydown", (event) => this.key(event));
      this.show();
    }

    // The root causes that the path meets in each file.
    held() {
      const found = new Map();
      for (const finding of findings) {
        if (!finding.cause || finding.state === "suppressed" || !onPath(finding)) continue;
        const [title, severity, group] = causeOf(finding.cause);
        if (group === "optional") continue;
        if (!found.has(finding.path)) found.set(finding.path, new Map());
        const here = found.get(finding.path);
        const plain = title.replaceAll("`", "");
        const rank = Math.min(SEVERITIES.indexOf(severity), SEVERITIES.indexOf(finding.severity));
        if (!here.has(finding.cause))
          here.set(finding.cause, {
            kind: "cause",
            cause: finding.cause,
            path: finding.path,
            label: plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain,
            title: plain,
            line: 0,
            rank,
            below: rank,
            places: 0,
            files: 0,
            all: 0,
            nodes: [],
            open: false,
          });
        const cause = here.get(finding.cause);
        cause.places += 1;
        cause.rank = cause.below = Math.max(cause.rank, rank);
      }
      return new Map(
        [...found].map(([path, here]) => [
          path,
          [...here.values()].sort((one, other) => other.rank - one.rank || one.cause - other.cause),
        ]),
      );
    }

    // As much as can be seen at once, the way to the gravest first.
    openGravest() {
      const waiting = [this.root];
      let shown = 1;
      while (waiting.length) {
        waiting.sort((one, other) => other.below - one.below);
        const node = waiting.shift();
        const most = SEVERITIES[node.below] === "blocker" ? 2 * SHOWN : SHOWN;
        if (!node.nodes.length || (shown + node.nodes.length > most && node !== this.root)) continue;
        node.open = true;
        shown += node.nodes.length;
        waiting.push(...node.nodes);
      }
    }

    gravest() {
      let node = this.root;
      while (node.open) {
        const next = node.nodes.find((each) => each.below === node.below);
        if (!next) break;
        node = next;
      }
      return node;
    }

    // Each file a row; what leads to it stands in the row of the first that it leads to.
    layout() {
      const rows = [];
      let row = 0;
      this.pen.font = `12.5px ${getComputedStyle(document.body).fontFamily}`;
      const visit = (node, depth, x) => {
        node.depth = depth;
        node.x = x;
        node.y = 20 + row * ROW;
        node.width = Math.ceil(this.pen.measureText(this.words(node)).width) + 24;
        rows.push(node);
        const nodes = node.open ? node.nodes : [];
        nodes.forEach((each, at) => {
          if (at) row += 1;
          visit(each, depth + 1, x + node.width + GAP);
        });
      };
      visit(this.root, 0, 16);
      const width = Math.max(...rows.map((node) => node.x + node.width));
      return { rows, width, height: 40 + row * ROW };
    }

    words(node) {
      return node.label + (node.places ? `  ${node.places}` : "") + (node.open || !node.all ? "" : `  +${node.all}`);
    }

    show() {
      const { rows, width, height } = this.layout();
      this.rows = rows;
      this.svg.setAttribute("width", width);
      this.svg.setAttribute("height", height);
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const links = rows.filter((node) => node.parent).map((node) => this.link(node));
      this.items = new Map(rows.map((node) => [node, this.item(node)]));
      this.svg.replaceChildren(...links, ...this.items.values());
      this.tell();
    }

    link(node) {
      const above = node.parent;
      const turn = node.x - 20;
      const end = node.x - 6;
      const start = above.x + above.width - 10;
      const straight = `M${start} ${above.y}H${end}`;
      const bent = `M${start} ${above.y}H${turn - 6}q6 0 6 6V${node.y - 6}q0 6 6 6H${end}`;
      return draw("path", { class: "link", d: node.y === above.y ? straight : bent, "aria-hidden": "true" });
    }

    item(node) {
      const severity = node.below < 0 ? "none" : SEVERITIES[node.below];
      const name = node.cause ? node.title : node.path || node.label;
      const told = node.rank >= 0 ? `, ${plural(node.places, "place")}, ${SEVERITIES[node.rank]}` : "";
      const item = draw(
        "g",
        {
          class: node.rank >= 0 ? `${SEVERITIES[node.rank]} holds` : severity,
          role: "treeitem",
          tabindex: node === this.selected ? 0 : -1,
          transform: `translate(${node.x} ${node.y})`,
          "aria-level": node.depth + 1,
          "aria-selected": String(node === this.selected),
          "aria-expanded": node.nodes.length ? String(node.open) : null,
          "aria-label": `${name}${told}`,
          onclick: () => this.select(node, true),
        },
        draw("title", null, name),
        draw("rect", { class: "back", x: -9, y: -11, width: node.width + 2, height: 22, rx: 4 }),
        node.cause
          ? draw("rect", { class: "knob", x: -4.5, y: -4.5, width: 9, height: 9, rx: 1.5 })
          : draw("circle", { class: "knob", r: 5.5 }),
        node.nodes.length ? draw("path", { class: "plus", d: node.open ? "M-2.5 0H2.5" : "M-2.5 0H2.5M0 -2.5V2.5" }) : null,
        draw(
          "text",
          { x: 11, y: 4.5 },
          node.label,
          node.places ? draw("tspan", { class: "more" }, `  ${node.places}`) : null,
          node.open || !node.all ? null : draw("tspan", { class: "more" }, `  +${node.all}`),
        ),
      );
      item.querySelector(".knob").addEventListener("click", (event) => {
        if (!node.nodes.length) return;
        event.stopPropagation();
        this.toggle(node);
      });
      item.querySelector(".plus")?.addEventListener("click", (event) => {
        event.stopPropagation();
        this.toggle(node);
      });
      return item;
    }

    toggle(node, open = !node.open) {
      node.open = open && node.nodes.length > 0;
      if (!node.open && this.isBelow(this.selected, node)) this.selected = node;
      this.show();
    }

    isBelow(node, above) {
      for (let at = node; at; at = at.parent) if (at === above) return true;
      return false;
    }

    select(node, opens = false) {
      if (opens && node === this.selected && node.nodes.length) this.toggle(node);
      else if (opens && node.nodes.length && !node.open) {
        this.selected = node;
        this.toggle(node, true);
      } else {
        this.selected = node;
        this.show();
      }
      this.items.get(node)?.focus();
    }

    key(event) {
      const at = this.rows.indexOf(this.selected);
      const node = this.selected;
      const go = (next) => next && this.select(next);
      const deeds = {
        ArrowDown: () => go(this.rows[at + 1]),
        ArrowUp: () => go(this.rows[at - 1]),
        Home: () => go(this.rows[0]),
        End: () => go(this.rows.at(-1)),
        ArrowRight: () => (node.open ? go(node.nodes[0]) : this.opened(node, true)),
        ArrowLeft: () => (node.open ? this.opened(node, false) : go(node.parent)),
        Enter: () => this.opened(node, !node.open),
        " ": () => this.opened(node, !node.open),
      };
      const deed = deeds[event.key];
      if (!deed || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      deed();
    }

    opened(node, open) {
      if (!node.nodes.length) return;
      this.toggle(node, open);
      this.items.get(node)?.focus();
    }

    // What lies in the file that was chosen, and how the path comes there.
    tell() {
      const node = this.selected;
      if (node.cause) {
        this.tellCause(node);
        return;
      }
      const parts = [make("h3", null, node.path ? place(node.path) : node.label)];
      if (node.rank >= 0) parts.push(make("p", null, pill(SEVERITIES[node.rank]), ` ${plural(node.places, "place")} to look at`));
      else parts.push(make("p", { class: "dim" }, node.files ? `Nothing here itself; it leads to ${plural(node.files, "file")}.` : "Nothing here itself."));
      const known = node.nodes.filter((each) => each.cause).slice(0, 8);
      if (known.length)
        parts.push(
          make(
            "div",
            null,
            make("h4", null, "Root causes here"),
            make(
              "ul",
              null,
              known.map((each) =>
                make(
                  "li",
                  null,
                  pill(SEVERITIES[each.rank]),
                  " ",
                  this.toCard(each.cause),
                  make("span", { class: "dim" }, ` ×${each.places}`),
                ),
              ),
            ),
          ),
        );
      parts.push(...this.way(node));
      if (node.places)
        parts.push(make("p", null, make("a", { href: `#path=${encodeURIComponent(node.path)}` }, "Show its findings")));
      this.side.replaceChildren(...parts);
    }

    tellCause(node) {
      const address = `#path=${encodeURIComponent(node.path)}&cause=${node.cause}`;
      this.side.replaceChildren(
        make("h3", null, this.toCard(node.cause)),
        make("p", null, pill(SEVERITIES[node.rank]), ` ${plural(node.places, "place")} in `, place(node.path)),
        ...this.way(node.parent),
        make("p", null, make("a", { href: address }, "Show its findings here")),
      );
    }

    toCard(cause) {
      const [title, , , card] = causeOf(cause);
      return card ? make("a", { href: `#cause-${cause}` }, inline(title)) : make("span", null, inline(title));
    }

    // The lines that import what leads to a file.
    way(node) {
      const chain = [];
      for (let at = node; at.parent; at = at.parent)
        if (at.line && at.parent.path) chain.unshift(make("li", null, place(at.parent.path, at.line)));
      if (chain.length)
        return [
          make(
            "div",
            null,
            make("h4", null, "Imported by way of"),
            make("ol", { class: "chain" }, chain, make("li", null, place(node.path))),
          ),
        ];
      return [];
    }
  }

  // --- the page --------------------------------------------------------------------------------

  const home = byId("explorer");
  const explorer = home ? new Explorer(home) : null;
  if (byId("treemap")) new Treemap(byId("treemap"));
  if (byId("path-picture") && data.tree.length) new Path(byId("path-picture"));

  const follow = () => {
    const fragment = location.hash.slice(1);
    if (fragment.includes("=")) {
      state = fromAddress(fragment);
      if (explorer) {
        explorer.page = 0;
        explorer.show();
        byId("findings").scrollIntoView();
      }
      return;
    }
    const target = fragment ? byId(fragment) : null;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  // A link to where the address already leads changes nothing that would be told.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.getAttribute("href") === location.hash) follow();
  });
  explorer?.show();
  follow();

  const cards = [...document.querySelectorAll("#causes .card")];
  for (const button of document.querySelectorAll("[data-cards]"))
    button.addEventListener("click", () => {
      for (const card of cards) card.open = button.dataset.cards === "open";
    });
  // On paper the first ones are open, unless somebody chose.
  let opened = [];
  addEventListener("beforeprint", () => {
    if (cards.some((card) => card.open)) return;
    opened = cards.slice(0, 5);
    for (const card of opened) card.open = true;
  });
  addEventListener("afterprint", () => {
    for (const card of opened) card.open = false;
    opened = [];
  });
})();
