"use strict";
(function () {
  var body = document.querySelector("#table tbody");
  var rows = Array.prototype.map.call(body.rows, function (row, number) {
    var texts = Array.prototype.map.call(row.cells, function (cell) { return cell.textContent; });
    return { row: row, texts: texts, number: number, all: texts.join("\n").toLowerCase() };
  });
  var heads = document.querySelectorAll("#table thead th");
  var collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  var filter = document.getElementById("filter");
  var state = document.getElementById("state");
  var STATE = 6;

  /* Cells that are empty stand last, whichever way it is sorted. */
  function sort(column, direction) {
    var numbers = rows.every(function (entry) { return !isNaN(parseFloat(entry.texts[column] || 0)); });
    rows.forEach(function (entry) {
      entry.key = numbers ? parseFloat(entry.texts[column] || 0) : entry.texts[column];
    });
    rows.sort(function (a, b) {
      var x = a.texts[column], y = b.texts[column];
      if (!x !== !y) return x ? -1 : 1;
      return direction * (numbers ? a.key - b.key : collator.compare(a.key, b.key)) || a.number - b.number;
    });
    var sorted = document.createDocumentFragment();
    rows.forEach(function (entry) { sorted.appendChild(entry.row); });
    body.appendChild(sorted);
  }
  function show() {
    var words = filter.value.toLowerCase(), count = 0;
    rows.forEach(function (entry) {
      var named = entry.all.indexOf(words) >= 0;
      var wanted = !state.value || entry.texts[STATE].indexOf(state.value) === 0;
      entry.row.hidden = !(named ? wanted : false);
      count += entry.row.hidden ? 0 : 1;
    });
    document.getElementById("shown").textContent = count + " of " + rows.length;
  }
  heads.forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      sort(column, up ? 1 : -1);
    });
  });
  filter.addEventListener("input", show);
  state.addEventListener("change", show);
  document.getElementById("tools").hidden = false;
  show();
})();
