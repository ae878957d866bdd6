"use strict";
// What every page does: it knows that scripts run, and changes between light and dark.
(() => {
  const root = document.documentElement;
  root.dataset.scripts = "on";
  const button = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  const kept = () => {
    try {
      return localStorage.getItem("portaudit-theme");
    } catch {
      return null; // a page from a file may have no storage
    }
  };
  const show = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    button.dataset.now = theme;
  };
  show(themes.includes(kept()) ? kept() : "auto");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(button.dataset.now) + 1) % themes.length];
    show(next);
    try {
      localStorage.setItem("portaudit-theme", next);
    } catch {
      // the choice holds until the page is closed
    }
  });
})();
