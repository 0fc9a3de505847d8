// Tells the values under the pointer in every figure that says them; without it they are just figures.
for (const svg of document.querySelectorAll("svg[data-hover]")) {
  const { box: [left, top, width, height], x, y, log, label, rows, marks, series } = JSON.parse(svg.dataset.hover);
  const scaled = log ? Math.log : (value) => value;
  const across = (value) => left + (width * (value - x[0])) / (x[1] - x[0]);
  const down = (value) => top + height * (1 - (scaled(value) - scaled(y[0])) / (scaled(y[1]) - scaled(y[0])));
  const picture = svg.parentElement;
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  const ruler = document.createElementNS("http://www.w3.org/2000/svg", "path");
  ruler.setAttribute("class", "ruler");

  const nearest = (places, wanted) =>
    places.reduce((best, place, index) => (Math.abs(place - wanted) < Math.abs(places[best] - wanted) ? index : best), 0);
  const atMark = (point) => {
    const distances = marks.map(([a, b]) => Math.hypot(rows ? 0 : across(a) - point.x, down(b) - point.y));
    const [a, b, text] = marks[nearest(distances, 0)];
    ruler.setAttribute("d", `M${across(a) - 7} ${down(b)}a7 7 0 1 0 14 0a7 7 0 1 0 -14 0`);
    return [text];
  };
  const onLines = (point) => {
    const [, xs] = series[0];
    const place = xs[nearest(xs.map(across), point.x)];
    ruler.setAttribute("d", `M${across(place)} ${top}v${height}`);
    const values = series.map(([name, at, ys]) => [name, ys[nearest(at, place)]]);
    return [`${label} = ${place}`, ...values.map(([name, value]) => `${name}: ${value ?? "\u2013"}`)];
  };
  const hide = () => { tip.remove(); ruler.remove(); };
  const show = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    if (point.x < left || point.x > left + width || point.y < top || point.y > top + height) return hide();
    const lines = marks.length ? atMark(point) : onLines(point);
    tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    svg.append(ruler);
    picture.append(tip);
    const { left: x0, top: y0, width: room } = picture.getBoundingClientRect();
    const after = event.clientX - x0 < room / 2;
    tip.style.left = after ? `${event.clientX - x0 + 14}px` : "auto";
    tip.style.right = after ? "auto" : `${x0 + room - event.clientX + 14}px`;
    tip.style.top = `${event.clientY - y0 + 14}px`;
  };
  if (marks.length || series.length) {
    picture.addEventListener("pointermove", show);
    picture.addEventListener("pointerdown", show);
    picture.addEventListener("pointerleave", hide);
  }
}
