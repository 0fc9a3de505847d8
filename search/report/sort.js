// Makes the tables of class "sortable" sort by a click on a heading; without it they are just tables.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const text = (row, column) => row.cells[column].textContent.trim();
  // What a cell says is a number only as a whole: "0.5 * x" is none. The page writes a true minus.
  const number = (row, column) => {
    const said = row.cells[column].dataset.value ?? text(row, column).replace("\u2212", "-").replace(/\s*%$/, "");
    return said === "" ? NaN : Number(said);
  };
  // In either direction a cell without a number follows those that have one.
  const compare = (a, b, column, sign) => {
    const [x, y] = [number(a, column), number(b, column)];
    if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
    return sign * (isNaN(x) ? text(a, column).localeCompare(text(b, column)) : x - y);
  };
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const sign = descending ? -1 : 1;
      const rows = [...body.rows];
      rows.sort((a, b) => compare(a, b, column, sign));
      body.append(...rows);
    });
  });
}
