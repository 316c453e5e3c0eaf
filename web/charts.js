// Charts of the answers, as SVG. A chart is data with its words in it: nothing hangs on colour
// alone, and the same rows stand as a table below it.
const svgNamespace = "http://www.w3.org/2000/svg";
const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const barsMax = 10;
const groupBarsMax = 3;

export const shown = (value) =>
  value === null || value === undefined ? "" : typeof value === "number" ? numbers.format(value) : String(value);

function shape(tag, attributes, text) {
  const node = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function picture(width, height, label, shapes) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  svg.append(...shapes);
  return svg;
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// Horizontal bars; a row without a value is a heading.
function bars(rows, label) {
  const line = 22, left = 158, width = 230, right = 92;
  const most = Math.max(1, ...rows.map((row) => row.value ?? 0));
  const shapes = rows.flatMap((row, i) => {
    const y = i * line;
    if (row.value === undefined) return [shape("text", { class: "heading", x: 0, y: y + 16 }, row.name)];
    const length = Math.max(1, (row.value / most) * width);
    return [
      shape("text", { x: left - 8, y: y + 15, "text-anchor": "end" }, cut(row.name, 22)),
      shape("rect", { class: "bar", x: left, y: y + 4, width: length, height: line - 8, rx: 2 }),
      shape("text", { class: "value", x: left + length + 6, y: y + 15 }, shown(row.value)),
    ];
  });
  return picture(left + width + right, rows.length * line + 2, label, shapes);
}

function groupBy(rows, key) {
  const groups = new Map();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}

function barChart(rows, spec, label) {
  const value = (row) => row[spec.y] ?? 0;
  const byX = groupBy(rows, (row) => row[spec.x]);
  if (spec.series && byX.size < rows.length) {
    const grouped = [...groupBy(rows, (row) => row[spec.series])].flatMap(([series, members]) => [
      { name: String(series) },
      ...members.slice(0, groupBarsMax).map((row) => ({ name: shown(row[spec.x]), value: value(row) })),
    ]);
    return { svg: bars(grouped, label), caption: `the first ${groupBarsMax} of each ${spec.series}` };
  }
  if (!spec.series && byX.size < rows.length) {
    const sums = [...byX].map(([x, members]) => ({ name: shown(x), value: members.reduce((sum, row) => sum + value(row), 0) }));
    sums.sort((a, b) => b.value - a.value);
    return { svg: bars(sums.slice(0, barsMax), label), caption: `summed by ${spec.x}` };
  }
  const name = (row) => (spec.series ? `${shown(row[spec.x])} · ${shown(row[spec.series])}` : String(row[spec.x]));
  const all = rows.map((row) => ({ name: name(row), value: value(row) }));
  const top = all.length > 2 * barsMax ? all.sort((a, b) => b.value - a.value).slice(0, barsMax) : all;
  return { svg: bars(top, label), caption: top.length < rows.length ? `the ${top.length} highest of ${rows.length}` : "" };
}

function lineChart(rows, spec, label) {
  const width = 480, height = 150, left = 30, right = 50, top = 24, bottom = 24;
  const values = rows.map((row) => row[spec.y] ?? 0);
  const most = Math.max(1, ...values);
  const x = (i) => left + (rows.length < 2 ? 0.5 : i / (rows.length - 1)) * (width - left - right);
  const y = (value) => height - bottom - (value / most) * (height - top - bottom);
  const shapes = [
    shape("line", { class: "axis", x1: 0, x2: width, y1: height - bottom, y2: height - bottom }),
    shape("polyline", { class: "line", points: values.map((value, i) => `${x(i)},${y(value)}`).join(" ") }),
  ];
  rows.forEach((row, i) => shapes.push(
    shape("circle", { class: "bar", cx: x(i), cy: y(values[i]), r: 3.5 }),
    shape("text", { class: "value", x: x(i), y: y(values[i]) - 9, "text-anchor": "middle" }, shown(values[i])),
    shape("text", { x: x(i), y: height - 7, "text-anchor": "middle" }, String(row[spec.x]))));
  return { svg: picture(width, height, label, shapes), caption: "" };
}

// Columns by x, rows by spec.rows; the darker, the more.
function heatChart(rows, spec, label) {
  const columns = [...new Set(rows.map((row) => row[spec.x]))];
  const lines = [...new Set(rows.map((row) => row[spec.rows]))];
  const left = 64, cell = (480 - left) / Math.max(1, columns.length), line = 28;
  const most = Math.max(1, ...rows.map((row) => row[spec.value] ?? 0));
  const shapes = [
    ...columns.map((name, i) => shape("text", { x: left + (i + 0.5) * cell, y: 14, "text-anchor": "middle" }, String(name))),
    ...lines.map((name, i) => shape("text", { x: left - 8, y: 20 + (i + 0.65) * line, "text-anchor": "end" }, String(name))),
  ];
  for (const row of rows) {
    const x = left + columns.indexOf(row[spec.x]) * cell, y = 20 + lines.indexOf(row[spec.rows]) * line;
    const value = row[spec.value] ?? 0;
    shapes.push(
      shape("rect", { class: "bar", x: x + 1, y: y + 1, width: cell - 2, height: line - 2, rx: 2, "fill-opacity": (0.06 + 0.6 * Math.sqrt(value / most)).toFixed(3) }),
      shape("text", { x: x + cell / 2, y: y + 18, "text-anchor": "middle" }, shown(row[spec.value])));
  }
  return { svg: picture(480, 24 + lines.length * line, label, shapes), caption: "" };
}

function numberChart(rows, spec, label) {
  const row = rows[0];
  const svg = picture(480, 54, label, [
    shape("text", { class: "big", x: 0, y: 38 }, shown(row[spec.y])),
    shape("text", { x: 0, y: 52 }, shown(row[spec.x]))]);
  return { svg, caption: "" };
}

// {svg, caption} of an answer under its question's chart, or null when there is nothing to draw.
export function chartOf(answer, spec) {
  const draw = { bar: barChart, line: lineChart, heat: heatChart, number: numberChart }[spec.chart];
  const named = [spec.x, spec.y].every((column) => answer.columns.includes(column));
  if (!draw || !named || answer.rows.length === 0) return null;
  const rows = answer.rows.map((row) => Object.fromEntries(answer.columns.map((name, i) => [name, row[i]])));
  return draw(rows, spec, `${answer.title || spec.name}: ${spec.value || spec.y} by ${spec.x}`);
}
