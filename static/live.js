/* Tells what changed since the page was made. It asks while the page is looked at, and moves nothing. */
(function () {
  "use strict";
  var EVERY = 8000, LONGEST = 120000; // milliseconds; after errors the pauses grow to the longest
  var note = document.getElementById("live-note");
  var wait = EVERY, timer = 0, isAsking = false, isOver = false, asked = "", tag = "";

  function place() { return document.querySelector("[data-live]"); }

  function address() {
    var rows = Array.from(place().querySelectorAll("[data-brief]"), function (row) {
      return row.dataset.brief + ":" + row.dataset.revision;
    });
    var folds = Array.from(place().querySelectorAll("[data-fold]"), function (row) { return row.dataset.fold; });
    return place().dataset.live + (rows.length ? "&shown=" + rows.join(",") : "") +
      (folds.length ? "&folds=" + folds.join(",") : "");
  }

  function later(pause) {
    window.clearTimeout(timer);
    if (!isOver && !document.hidden) timer = window.setTimeout(ask, pause);
  }

  function ask() {
    if (isAsking || !place()) return;
    if (asked !== address()) tag = ""; // another list was loaded into the page
    var address_ = asked = address();
    isAsking = true;
    fetch(address_, {
      headers: tag ? {"If-None-Match": tag} : {}, cache: "no-store", redirect: "manual"
    }).then(function (response) {
      wait = EVERY;
      if (response.status === 401 || response.type === "opaqueredirect") {
        say(document.getElementById("signed-out"));
        isOver = true;
      } else if (response.status === 403 || response.status === 404) {
        if (response.status === 403) say(document.getElementById("refused"));
        isOver = true; // this page would be refused as well
      } else if (response.status !== 304 && !response.ok) {
        throw new Error("no answer");
      } else if (response.ok) {
        return response.json().then(function (answer) {
          if (address_ !== address()) return;
          tag = response.headers.get("ETag");
          show(answer);
        });
      }
    }).catch(function () {
      wait = Math.min(2 * wait, LONGEST);
    }).then(function () {
      isAsking = false;
      later(wait);
    });
  }

  function show(answer) {
    var link = place().querySelector("[data-live-news]");
    if (!link) {
      if (answer.news) say(document.getElementById("brief-changed"), answer.news);
      return;
    }
    if (link.textContent !== answer.news) link.textContent = answer.news;
    Object.keys(answer.rows).forEach(function (key) {
      var row = place().querySelector("[data-brief='" + key + "'], [id='" + key + "']");
      var mark = row && (row.querySelector(".live-mark") || document.createElement("span"));
      if (!mark) return;
      mark.title = answer.rows[key].said;
      if (mark.textContent === answer.rows[key].mark) return;
      mark.className = "live-mark";
      mark.textContent = answer.rows[key].mark;
      row.querySelector(".c-priority, .fold-line").append(mark);
    });
  }

  function say(template, words) {
    var said = template.content.cloneNode(true);
    if (words) said.querySelector("strong").textContent = words;
    if (note.textContent !== said.textContent) note.replaceChildren(said);
  }

  document.addEventListener("visibilitychange", function () { later(Math.min(wait, 500)); });
  later(EVERY);
})();
