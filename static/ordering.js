/* Moves the rows of a list by dragging and by buttons. The numbers beside them are what is saved. */
(function () {
  "use strict";
  var STEP = 10;
  var inputs = Array.from(document.querySelectorAll("#result_list input[data-order]"));
  var save = document.querySelector("#changelist-form [name=_save]");
  if (!inputs.length || !save) return;

  var said = document.createElement("p");
  said.className = "order-status";
  said.setAttribute("role", "status");
  save.before(said);
  var isUnsaved = false;

  function rowOf(input) { return input.closest("tr"); }

  /* The inputs of one order, by their numbers; those with the same number as they stand. */
  function orderOf(input) {
    return Array.from(document.querySelectorAll("#result_list input[data-order]"))
      .filter(function (other) { return other.dataset.order === input.dataset.order; })
      .sort(function (one, other) { return one.value - other.value; });
  }

  function button(label, sign, act) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "move";
    made.textContent = sign;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  function showEnds(order) {
    order.forEach(function (input, place) {
      input.up.disabled = place === 0;
      input.down.disabled = place === order.length - 1;
    });
  }

  function move(input, place) {
    var order = orderOf(input), focused = document.activeElement;
    if (place < 0 || place >= order.length) return;
    var end = document.createElement("tr");
    var rows = order.map(rowOf);
    rows.reduce(function (last, row) {
      return last.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING ? row : last;
    }).after(end);
    order.splice(order.indexOf(input), 1);
    order.splice(place, 0, input);
    order.forEach(function (one, number) {
      one.value = (number + 1) * STEP;
      end.before(rowOf(one));
    });
    end.remove();
    showEnds(order);
    isUnsaved = true;
    save.closest("form").classList.add("is-unsaved");
    said.textContent = input.dataset.name + ": now " + (place + 1) + " of " + order.length +
      ". Not saved yet.";
    // A row that is moved loses the focus, and so does a button that is switched off.
    if (focused === input.up || focused === input.down) {
      (focused.disabled ? (focused === input.up ? input.down : input.up) : focused).focus();
    }
  }

  function drag(input, grip) {
    function placeAt(y) {
      return orderOf(input).filter(function (other) {
        var box = rowOf(other).getBoundingClientRect();
        return other !== input && box.top + box.height / 2 < y;
      }).length;
    }

    grip.addEventListener("pointerdown", function (event) {
      if (event.button) return;
      event.preventDefault();
      grip.setPointerCapture(event.pointerId);
      rowOf(input).classList.add("is-dragged");
    });
    grip.addEventListener("pointermove", function (event) {
      if (!rowOf(input).classList.contains("is-dragged")) return;
      var place = placeAt(event.clientY);
      if (place !== orderOf(input).indexOf(input)) {
        move(input, place);
        grip.setPointerCapture(event.pointerId);
      }
      if (event.clientY < 60) window.scrollBy(0, -12);
      if (event.clientY > window.innerHeight - 60) window.scrollBy(0, 12);
    });
    ["pointerup", "pointercancel"].forEach(function (name) {
      grip.addEventListener(name, function () { rowOf(input).classList.remove("is-dragged"); });
    });
  }

  inputs = inputs.filter(function (input) { return orderOf(input).length > 1; });
  inputs.forEach(function (input) {
    var box = document.createElement("div");
    var grip = document.createElement("span");
    box.className = "order";
    grip.className = "grip";
    grip.title = "Drag this row";
    grip.textContent = "⠿";
    grip.setAttribute("aria-hidden", "true");
    input.before(box);
    input.up = button("Move up: " + input.dataset.name, "↑", function () {
      move(input, orderOf(input).indexOf(input) - 1);
    });
    input.down = button("Move down: " + input.dataset.name, "↓", function () {
      move(input, orderOf(input).indexOf(input) + 1);
    });
    box.append(grip, input, input.up, input.down);
    drag(input, grip);
  });
  inputs.forEach(function (input) { showEnds(orderOf(input)); });

  save.closest("form").addEventListener("submit", function () { isUnsaved = false; });
  window.addEventListener("beforeunload", function (event) {
    if (isUnsaved) event.preventDefault();
  });
})();
