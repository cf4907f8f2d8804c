/* Keeps what is typed and not sent, in this tab, for this person, until it was sent or they sign out. */
(function () {
  "use strict";
  var OURS = "savedesk:", OUT = OURS + "signed-out", SENT = OURS + "sent";
  var user = document.body.dataset.user, mine = OURS + user + ":", draft = mine + "draft:";
  var isKept = true;

  function keys(start) {
    return Object.keys(sessionStorage).filter(function (key) { return key.startsWith(start); });
  }

  function forget(which) {
    keys(OURS).filter(which).forEach(function (key) { sessionStorage.removeItem(key); });
  }

  function everything() { return true; }

  document.addEventListener("submit", function (event) {
    if (!event.target.matches("[data-sign-out]")) return;
    forget(everything);
    localStorage.setItem(OUT, Date.now()); // the other tabs hear of it
  });
  window.addEventListener("storage", function (event) {
    if (event.key === OUT) forget(everything);
  });
  if (!user) { // signed out, or the session has ended: then the drafts wait for the same person
    sessionStorage.removeItem(SENT);
    return;
  }
  forget(function (key) { return key !== SENT && !key.startsWith(mine); });

  function fields(form) {
    return Array.from(form.elements).filter(function (field) {
      return field.name && !/^(hidden|password|file|submit|button)$/.test(field.type);
    });
  }

  function isChoice(field) { return field.type === "radio" || field.type === "checkbox"; }

  function entered(form) {
    return fields(form).map(function (field) {
      return isChoice(field) ? field.checked : field.value;
    });
  }

  function keyOf(form) { return draft + new URL(form.action).pathname; }

  function keep(event) {
    var form = event.target.form;
    if (!form || form.dataset.draft === undefined) return;
    var texts = fields(form).filter(function (field) {
      return field.type === "text" || field.type === "textarea";
    });
    try {
      sessionStorage.setItem(keyOf(form), JSON.stringify({
        names: fields(form).map(function (field) { return field.name; }),
        entered: entered(form),
        text: texts.map(function (field) { return field.value; }).filter(Boolean).join(" · ")
      }));
    } catch (error) {
      isKept = false; // no room, or not allowed: then the browser asks before one leaves
    }
  }

  function discarding(note, key, done) {
    note.querySelector("button").addEventListener("click", function () {
      sessionStorage.removeItem(key);
      done();
    });
    return note;
  }

  function restore(form) {
    var kept = JSON.parse(sessionStorage.getItem(keyOf(form)) || "null");
    var now = fields(form);
    var names = now.map(function (field) { return field.name; });
    if (!kept || String(names) !== String(kept.names)) return;
    if (String(kept.entered) === String(entered(form))) return;
    now.forEach(function (field, place) {
      if (isChoice(field)) field.checked = kept.entered[place];
      else field.value = kept.entered[place];
    });
    var fold = form.closest("details");
    if (fold) fold.open = true;
    var note = document.getElementById("draft-note").content.cloneNode(true).firstElementChild;
    form.prepend(discarding(note, keyOf(form), function () { form.reset(); note.remove(); }));
  }

  /* What was typed into a form that the page has no more: brief or incident was closed meanwhile. */
  function tell() {
    var page = document.querySelector("[data-drafts]");
    if (!page) return;
    keys(draft + page.dataset.drafts).forEach(function (key) {
      var text = JSON.parse(sessionStorage.getItem(key)).text;
      var forms = Array.from(document.querySelectorAll("form[data-draft]"), keyOf);
      if (!text || forms.includes(key)) return;
      var note = document.getElementById("draft-left").content.cloneNode(true).firstElementChild;
      note.querySelector(".wrap").textContent = text;
      // Where the form was.
      document.querySelector(".triage").prepend(discarding(note, key, function () { note.remove(); }));
    });
  }

  var sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  var isDone = ".messages .success, .messages .info, .bulk [data-done]";
  if (sent && document.querySelector(isDone)) sessionStorage.removeItem(sent);
  document.querySelectorAll("form[data-draft]").forEach(restore);
  tell();
  document.addEventListener("input", keep);
  document.addEventListener("change", keep);
  document.addEventListener("submit", function (event) {
    // Also if it has no draft: one that was sent before and did not arrive is not sent by this one.
    sessionStorage.removeItem(SENT);
    if (event.target.dataset.draft !== undefined) sessionStorage.setItem(SENT, keyOf(event.target));
    isKept = true;
  });
  window.addEventListener("beforeunload", function (event) {
    if (!isKept) event.preventDefault();
  });
})();
