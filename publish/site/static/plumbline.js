// Sort, filter and search of the table of key results. What is shown stands behind the # of the address, so that a view can be sent.
"use strict";
(() => {
  const table = document.getElementById("key-results");
  if (!table) return;
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const bodies = [...table.tBodies];
  const rows = bodies.flatMap((body) => [...body.rows].filter((row) => !row.classList.contains("objective")));
  const home = new Map(rows.map((row) => [row, row.parentNode]));
  const all = document.createElement("tbody");
  all.setAttribute("role", "rowgroup");
  const heads = [...table.tHead.rows[0].cells];
  let sort = "";
  form.hidden = false;

  const key = (row, column) => {
    const here = row.cells[column];
    const number = here.dataset.key;
    if (number === undefined) return here.textContent.trim().toLowerCase();
    if (number === "" || number === "None" || number === "–") return null;
    return Number.isNaN(Number(number)) ? number : Number(number);
  };

  const arrange = () => {
    const down = sort.startsWith("-");
    const column = heads.findIndex((head) => head.dataset.sort === sort.replace("-", ""));
    for (const head of heads) {
      if (head.dataset.sort) head.setAttribute("aria-sort", "none");
    }
    if (column < 0) {
      all.remove();
      for (const row of rows) home.get(row).append(row);
      return;
    }
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const inOrder = [...rows].sort((one, other) => {
      const [a, b] = [key(one, column), key(other, column)];
      if (a === b) return rows.indexOf(one) - rows.indexOf(other);
      if (a === null || b === null) return a === null ? 1 : -1; // without a value: last, whichever way
      const order = a < b ? -1 : 1;
      return down ? -order : order;
    });
    all.append(...inOrder);
    table.append(all);
  };

  const narrow = () => {
    const asked = new FormData(form);
    const words = asked.get("q").toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = ["status", "function", "perspective", "owner"].every((name) => !asked.get(name) || row.dataset[name] === asked.get(name))
        && words.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits;
    }
    for (const body of bodies) {
      body.hidden = sort !== "" || ![...body.rows].some((row) => !row.classList.contains("objective") && !row.hidden);
    }
    shown.textContent = `${count} of ${rows.length} key results`;
  };

  const remember = () => {
    const state = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    if (sort) state.set("sort", sort);
    const address = state.toString();
    if (address !== location.hash.slice(1)) history.replaceState(null, "", address ? `#${address}` : "#");
  };

  const recall = () => {
    // A # that names a place on the page is none of ours.
    if (location.hash && !location.hash.includes("=") && location.hash !== "#") return;
    const state = new URLSearchParams(location.hash.slice(1));
    for (const field of form.elements) {
      if (field.name) field.value = state.get(field.name) ?? "";
    }
    sort = state.get("sort") ?? "";
    arrange();
    narrow();
  };

  for (const head of heads.filter((each) => each.dataset.sort)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const name = head.dataset.sort;
      sort = sort === name ? `-${name}` : sort === `-${name}` ? "" : name;
      arrange();
      narrow();
      remember();
    });
  }
  form.addEventListener("input", () => { narrow(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const field of form.elements) {
      if (field.name) field.value = "";
    }
    sort = "";
    arrange();
    narrow();
    remember();
  });
  window.addEventListener("hashchange", recall);
  recall();
})();
