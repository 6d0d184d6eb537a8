"use strict";
(function () {
  var severities = { low: 1, medium: 2, high: 3 };

  // What a cell is sorted by: what it says of itself, a severity, a number as people read it, or its text.
  function order(cell) {
    var told = cell.getAttribute("data-o");
    var text = (told === null ? cell.textContent : told).trim();
    if (text === "" || text === "–" || text === "not known") return null;
    if (severities[text]) return severities[text];
    var number = Number(text.replace(/[,+%<\s]/g, "").replace("−", "-"));
    return Number.isNaN(number) ? text.toLowerCase() : number;
  }

  function compare(a, b) {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? -1 : 1;
  }

  // What is not known stays last, whichever way the rest is sorted.
  function sortBy(table, header) {
    var place = header.cellIndex;
    var isNumber = header.classList.contains("n");
    var now = header.getAttribute("aria-sort");
    var isDown = now ? now === "ascending" : isNumber;
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row) {
      return { row: row, order: order(row.cells[place]) };
    });
    rows.sort(function (a, b) {
      if (a.order === null || b.order === null) return (a.order === null) - (b.order === null);
      return isDown ? compare(b.order, a.order) : compare(a.order, b.order);
    });
    rows.forEach(function (item) { body.appendChild(item.row); });
    table.querySelectorAll("th[aria-sort]").forEach(function (cell) { cell.removeAttribute("aria-sort"); });
    header.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  }

  document.querySelectorAll("table.sortable").forEach(function (table) {
    table.querySelectorAll("thead button").forEach(function (button) {
      button.addEventListener("click", function () { sortBy(table, button.closest("th")); });
    });
  });

  // A person who prints wants what is folded away on the page.
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (item) { item.open = true; });
  });

  var table = document.getElementById("flag-table");
  if (!table) return;
  var filters = document.querySelector(".filters");
  var text = document.getElementById("f-text");
  var count = document.getElementById("f-count");
  var columns = { good: 1, exporter: 2, importer: 3, severity: 9 };
  var selects = Object.keys(columns).map(function (name) {
    return { box: document.getElementById("f-" + name), column: columns[name] };
  });
  var rows = Array.from(table.tBodies[0].rows);

  selects.forEach(function (select) {
    var values = new Set(rows.map(function (row) { return row.cells[select.column].textContent; }));
    Array.from(values).sort().forEach(function (value) {
      var option = document.createElement("option");
      option.value = option.textContent = value;
      select.box.appendChild(option);
    });
  });

  function filter() {
    var wanted = text.value.trim().toLowerCase();
    var shown = 0;
    rows.forEach(function (row) {
      var anchor = row.querySelector("a").getAttribute("href").slice(1);
      var fits = (row.textContent + " " + anchor).toLowerCase().includes(wanted) && selects.every(function (select) {
        return !select.box.value || row.cells[select.column].textContent === select.box.value;
      });
      row.hidden = !fits;
      document.getElementById(anchor).hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = shown === rows.length ? "" : shown + " of " + rows.length + " flags shown";
  }

  text.addEventListener("input", filter);
  selects.forEach(function (select) { select.box.addEventListener("change", filter); });
  document.getElementById("f-clear").addEventListener("click", function () {
    text.value = "";
    selects.forEach(function (select) { select.box.value = ""; });
    filter();
  });
  filters.hidden = false;
})();
