// The console: one page over the documented API. Reads need no token; a write takes it from the
// address (#token=…, as `pinpipe up` prints it) and keeps it for this tab only.
const $ = (id) => document.getElementById(id);

const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.get("token")) {
  sessionStorage.setItem("token", fragment.get("token"));
  history.replaceState(null, "", location.pathname);
}

async function call(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(`/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const json = await response.json();
  if (!response.ok) throw new Error(json.error ? json.error.message : response.statusText);
  return json;
}

function element(tag, attributes = {}, ...children) {
  const node = tag === "svg" || attributes.svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (name !== "svg") node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const numbers = new Intl.NumberFormat("en");
const shown = (value) => value === null ? "" : typeof value === "number" ? numbers.format(value) : String(value);

function table(answer, rowsMax = 200) {
  const numeric = answer.columns.map((_, i) => answer.rows.length > 0 && answer.rows.every((r) => r[i] === null || typeof r[i] === "number"));
  const head = element("tr", {}, ...answer.columns.map((name, i) => element("th", { scope: "col", class: numeric[i] ? "number" : "" }, name)));
  const rows = answer.rows.slice(0, rowsMax).map((row) =>
    element("tr", {}, ...row.map((cell, i) => element("td", { class: numeric[i] ? "number" : "" }, shown(cell)))));
  return element("div", { class: "scroll", tabindex: "0" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}

// Horizontal bars: label, bar, value. Text is part of the picture, so nothing hangs on colour.
function bars(rows, label) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  const height = 20, left = 150, width = 300;
  const svg = element("svg", { viewBox: `0 0 ${left + width + 70} ${rows.length * height + 4}`, role: "img", "aria-label": label });
  rows.forEach((row, i) => {
    const y = i * height;
    const cut = row.name.length > 22 ? `${row.name.slice(0, 21)}…` : row.name;
    svg.append(
      element("text", { svg: 1, x: left - 6, y: y + 14, "text-anchor": "end" }, cut),
      element("rect", { svg: 1, class: "bar", x: left, y: y + 3, width: Math.max(1, row.value / most * width), height: height - 6, rx: 2 }),
      element("text", { svg: 1, class: "value", x: left + row.value / most * width + 5, y: y + 14 }, shown(row.value)));
  });
  return svg;
}

// What a question's rows look like as bars: the last number column, named by the other columns.
function chart(name, answer) {
  if (answer.rows.length === 0) return null;
  const value = answer.columns.length - 1;
  let rows = answer.rows.map((row) => ({ name: row.slice(0, value).map(shown).join(" · "), value: row[value] ?? 0 }));
  if (name === "q1") {
    const wins = new Map();
    for (const row of answer.rows) wins.set(row[1], (wins.get(row[1]) ?? 0) + 1);
    rows = [...wins].map(([category, count]) => ({ name: category, value: count })).sort((a, b) => b.value - a.value);
  } else if (name === "q2") {
    const best = new Map();
    for (const row of answer.rows) if (!best.has(row[0]) || best.get(row[0]).value < row[2]) best.set(row[0], { name: `${row[0]} · ${row[1]}`, value: row[2] });
    rows = [...best.values()];
  } else if (rows.length > 16) {
    rows = rows.sort((a, b) => b.value - a.value).slice(0, 10);
  }
  return rows.some((row) => typeof row.value === "number") ? bars(rows, `${answer.title}, as bars`) : null;
}

async function showAnswers() {
  try {
    const list = await call("questions");
    const cards = [];
    for (const [name] of list.rows) {
      const answer = await call("ask", { question: name });
      const card = element("article", { class: "card" }, element("h3", {}, answer.title || name));
      const picture = chart(name, answer);
      if (picture) card.append(picture);
      card.append(element("details", {}, element("summary", {}, `${answer.rows.length} rows`), table(answer)));
      cards.push(card);
    }
    $("answers-out").replaceChildren(...cards);
    $("answers-note").textContent = "";
  } catch (error) {
    $("answers-note").textContent = `No answers yet: ${error.message}`;
  }
}

function hop(stage) {
  const node = element("div", { class: stage.behind ? "hop behind" : "hop" }, element("b", {}, stage.name),
    element("span", { class: "count" }, shown(stage.count)), element("small", {}, stage.note || ""));
  return node;
}

function showState(state) {
  const health = $("health");
  health.textContent = state.healthy ? "healthy" : state.reason;
  health.className = state.healthy ? "good" : "bad";
  $("map").replaceChildren(...state.paths.map((path) =>
    element("div", { class: "path", tabindex: "0", "aria-label": path.name }, ...path.hops.map(hop))));
  const topics = state.topics.join("\n");
  if ($("topic").dataset.list !== topics) {
    $("topic").dataset.list = topics;
    const chosen = $("topic").value;
    $("topic").replaceChildren(...state.topics.map((name) => element("option", { value: name }, name)));
    if (state.topics.includes(chosen)) $("topic").value = chosen;
  }
  if (state.answers_version !== showState.answers) {
    showState.answers = state.answers_version;
    showAnswers();
    showRuns();
  }
}

async function showRuns() {
  try {
    const runs = await call("dag/runs", {});
    $("runs-out").replaceChildren(table(runs, 20));
  } catch (error) {
    $("runs-out").textContent = error.message;
  }
}

$("records-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const answer = await call("topic/tail", { topic: $("topic").value, count: 10 });
    $("records-out").replaceChildren(answer.rows.length ? table(answer) : "The topic is empty.");
  } catch (error) {
    $("records-out").textContent = error.message;
  }
});

$("run-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("run-note").textContent = "running…";
  try {
    const answer = await call("run", {});
    $("run-note").textContent = answer.failed ? "the run failed" : "done";
  } catch (error) {
    $("run-note").textContent = error.message;
  }
  showRuns();
  showAnswers();
});

call("env").then((answer) => $("lookup-out").replaceChildren(table(answer)), (error) => { $("lookup-out").textContent = error.message; });

const events = new EventSource("/events");
events.onmessage = (event) => showState(JSON.parse(event.data));
events.onerror = () => { $("health").textContent = "the server does not answer"; $("health").className = "bad"; };
