/* Copies an address or a number. Without JavaScript the buttons stay hidden. */
(function () {
  "use strict";
  if (!navigator.clipboard) return; // only over https and on this machine itself

  function show(root) {
    root.querySelectorAll("button[data-copy][hidden]").forEach(function (button) {
      button.hidden = false;
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-copy]");
    if (!button) return;
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      var said = button.querySelector("[role=status]");
      said.textContent = "Copied";
      window.setTimeout(function () { said.textContent = ""; }, 2000);
    });
  });
  document.addEventListener("htmx:load", function (event) { show(event.target); });
  show(document);
})();

/* A link to a form inside a fold opens the fold; some browsers do so by themselves. */
(function () {
  "use strict";
  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    var fold = target && target.closest("details");
    if (!fold) return;
    fold.open = true;
    target.scrollIntoView();
  }

  window.addEventListener("hashchange", unfold);
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) unfold(); // the address stays as it was
  });
  unfold();
})();

/* On a phone the present tab may lie beyond the edge. */
(function () {
  "use strict";
  function show() {
    var tab = document.querySelector(".tabs [aria-current]");
    if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.clientWidth / 2;
  }

  document.addEventListener("htmx:load", show);
  show();
})();

/* A list that did not come stays as it was, which is said until one comes. */
(function () {
  "use strict";
  var missing = document.getElementById("list-missing"), note = document.getElementById("live-note");
  var refused = document.getElementById("list-refused");
  if (!missing) return;

  function say(event) {
    if (event.detail.target.id !== "list") return;
    var words = event.detail.xhr.status === 403 ? refused : missing; // a refusal does not pass by itself
    var said = words.content.cloneNode(true);
    said.querySelector("a").href = event.detail.pathInfo.finalRequestPath;
    note.replaceChildren(said);
  }

  document.addEventListener("htmx:responseError", say);
  document.addEventListener("htmx:sendError", say);
  document.addEventListener("htmx:load", function (event) {
    if (event.target.id === "list") note.replaceChildren();
  });
})();
