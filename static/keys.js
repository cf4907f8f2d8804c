/* Single keys, for whoever has not switched them off (page “Your account”). docs/keys.md lists them. */
(function () {
  "use strict";
  var FORMS = {l: "contact-form", a: "assign", s: "snooze-form", c: "close-form", m: "comment-form"};
  var KINDS = {l: "contact", a: "assign", s: "snooze", c: "close"}; // of an act on many briefs
  var TYPES = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
  var OURS = "savedesk:" + document.body.dataset.user, LIST = OURS + ":list", NEXT = OURS + ":act", SEARCH = OURS + ":search";
  var LINES = ".brief-row, .fold-row", LINKS = ".row-link, .fold-link";
  var dialog = document.getElementById("keys");
  var last = null; // the row that had the focus

  function links(which) {
    return Array.from(document.querySelectorAll(which)).filter(function (link) {
      return link.getClientRects().length; // those in a closed fold have none
    });
  }

  function present() {
    var row = document.activeElement.closest(LINES);
    if (row) last = row.querySelector(LINKS);
    return last && last.isConnected ? last : null;
  }

  function step(by) {
    var all = links(LINKS);
    if (!all.length) return;
    var place = all.indexOf(present()) + by;
    last = all[Math.max(0, Math.min(place, all.length - 1))];
    last.focus();
  }

  /* From a brief to its neighbour in the list that was looked at last. */
  function turn(by) {
    var list = JSON.parse(sessionStorage.getItem(LIST) || "[]");
    var brief = document.querySelector("[data-drafts]"); // a form that came back has an address of its own
    var here = brief ? brief.dataset.drafts : location.pathname;
    var place = list.findIndex(function (href) { return new URL(href).pathname === here; });
    if (place >= 0 && list[place + by]) location.href = list[place + by];
  }

  function unfold(id) {
    var part = document.getElementById(id);
    if (!part) return;
    for (var fold = part.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true;
    }
    var field = part.querySelector("input:checked") ||
      part.querySelector("input:not([type=hidden]), select, textarea, [type=submit]");
    field.focus();
  }

  /* On the page of this address, and on no other one, should this one not be there. */
  function unfoldAt(address, id) {
    sessionStorage.setItem(NEXT, JSON.stringify([new URL(address).pathname, id]));
  }

  function act(key) {
    if (!document.getElementById("list")) {
      var isSecond = key === "a" && document.activeElement.closest("#assign");
      unfold(isSecond ? "assign-form" : FORMS[key]);
      return;
    }
    var many = document.getElementById("bulk");
    if (KINDS[key] && many && document.querySelector("#list .pick :checked")) {
      many.elements.which.value = "rows";
      many.elements.kind.value = KINDS[key];
      unfoldAt(many.action, "bulk-form");
      many.requestSubmit();
    } else if (present() && present().matches(".row-link")) {
      unfoldAt(present().href, FORMS[key]); // a “#” in the address would take the focus away
      location.href = present().href;
    }
  }

  function tick() {
    var row = present() && present().closest(LINES);
    var box = row && row.querySelector("[type=checkbox]");
    if (box) box.click();
  }

  /* From any page: the box is in the inbox. */
  function search() {
    var box = document.getElementById("id_q"), inbox = document.querySelector("[data-inbox]");
    if (box) {
      box.focus();
    } else if (inbox) {
      sessionStorage.setItem(SEARCH, "1");
      location.href = inbox.href;
    }
  }

  function choose(radio, number) {
    var one = Array.from(radio.form.elements[radio.name])[number - 1];
    if (!one) return;
    one.click();
    one.focus();
  }

  document.addEventListener("keydown", function (event) {
    var field = event.target, key = event.key;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (field.matches(TYPES) || dialog.open) return;
    if (key === "j" || key === "k") {
      (document.getElementById("list") ? step : turn)(key === "j" ? 1 : -1);
    } else if (event.repeat) {
      return;
    } else if (FORMS[key]) {
      act(key);
    } else if (key === "x") {
      tick();
    } else if (key === "/") {
      search();
    } else if (key === "?") {
      dialog.showModal();
    } else if (field.type === "radio" && /^[1-9]$/.test(key)) {
      choose(field, Number(key));
    } else {
      return;
    }
    event.preventDefault(); // a field that has the focus now must not get the key as well
  });

  window.addEventListener("pagehide", function () {
    if (!document.getElementById("list")) return;
    sessionStorage.setItem(LIST, JSON.stringify(links(".row-link").map(function (link) { return link.href; })));
  });
  if (document.getElementById("id_q") && sessionStorage.getItem(SEARCH)) {
    sessionStorage.removeItem(SEARCH);
    search();
  }
  var next = JSON.parse(sessionStorage.getItem(NEXT) || "null");
  if (next && document.querySelector(".brief-page, .bulk")) {
    sessionStorage.removeItem(NEXT);
    if (location.pathname.startsWith(next[0])) unfold(next[1]);
  }
})();
