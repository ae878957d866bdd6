# ruff: noqa: E501 - lines of YAML
"""Jobs for CI servers, to copy: those of docs/ci.md, as `portaudit init --ci` prints them."""

from __future__ import annotations

from collections.abc import Mapping

JOBS: Mapping[str, str] = {
    "github": """\
# .github/workflows/portaudit.yml
name: portaudit
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
  security-events: write # for code scanning; leave it out if you do not use that
jobs:
  portaudit:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          fetch-depth: 0 # only for diff-ref
      - uses: OWNER/portaudit@v0.1.0
        with:
          diff-ref: ${{ github.event_name == 'pull_request' && format('origin/{0}', github.base_ref) || '' }}
""",
    "gitlab": """\
# A job for GitLab: copy it into .gitlab-ci.yml, or include it.
#
# Findings appear in the merge request's code quality widget and test report. With a baseline in the
# repository, new is what it does not accept. Without one, set PORTAUDIT_DIFF to judge only what a
# merge request adds; that needs the history, hence GIT_DEPTH.

portaudit:
  stage: test
  image: python:3.12
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      variables:
        PORTAUDIT_DIFF: --diff=$CI_MERGE_REQUEST_DIFF_BASE_SHA # without it: the baseline alone
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  variables:
    GIT_DEPTH: "0"
    PIP_CACHE_DIR: $CI_PROJECT_DIR/.cache/pip
  cache:
    key: portaudit
    paths: [.cache/pip]
  script:
    - pip install --quiet portaudit==0.1.0
    - >-
      portaudit check $PORTAUDIT_DIFF
      --format terminal,gitlab=gl-code-quality-report.json,junit=portaudit.xml
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
      junit: portaudit.xml
""",
}
"""By the name of the server."""
