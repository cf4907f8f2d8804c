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
