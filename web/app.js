// The console: one page over the documented API. Reads need no token; a write takes it from the
// address (#token=…, as `pinpipe up` prints it) and keeps it for this tab only.
import { chartOf, shown } from "/charts.js";

const $ = (id) => document.getElementById(id);
const rowsMax = 200;
const runsMax = 10;
const recordsMax = 10;

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
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function table(answer, most = rowsMax) {
  const isNumber = answer.columns.map((_, i) =>
    answer.rows.length > 0 && answer.rows.every((row) => row[i] === null || typeof row[i] === "number"));
  // A year is a number that is read as a name.
  const text = (cell, i) => (/year|offset|partition/.test(answer.columns[i]) ? String(cell ?? "") : shown(cell));
  const cells = (tag, row, make) => row.map((cell, i) => element(tag, { class: isNumber[i] && "number" }, make(cell, i)));
  const head = element("tr", {}, ...cells("th", answer.columns, (name) => name.replaceAll("_", " ")));
  const rows = answer.rows.slice(0, most).map((row) => element("tr", {}, ...cells("td", row, text)));
  const grid = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": answer.title || "table" }, grid);
}

// --- the pipeline ---

const before = { at: 0, counts: new Map(), rates: new Map() };

// What a hop took in a second, over the last two states in which it changed.
function rate(key, count, now) {
  const last = before.counts.get(key);
  before.counts.set(key, { count, at: now });
  if (last === undefined || count === null || count <= last.count) return 0;
  return Math.round((count - last.count) / ((now - last.at) / 1000));
}

function hop(dataset, path, one, now) {
  const speed = rate(`${dataset}/${path}/${one.name}`, one.count, now);
  const state = one.behind ? "hop behind" : one.lag > 0 || speed > 0 ? "hop busy" : "hop";
  const facts = [speed > 0 && `+${shown(speed)}/s`, one.lag > 0 && `${shown(one.lag)} to go`, one.note].filter(Boolean);
  return element("li", { class: state },
    element("span", { class: "what" }, one.what),
    element("span", { class: "count" }, one.count === null ? "–" : shown(one.count)),
    element("b", {}, one.name),
    element("small", {}, facts.join(" · ") || "\u00a0"));
}

function showMap(state) {
  const now = performance.now();
  $("map").replaceChildren(...state.datasets.map((dataset) =>
    element("article", { class: "card" }, element("h3", {}, dataset.name),
      ...Object.entries(dataset.paths).map(([path, hops]) =>
        element("div", { class: "lane" }, element("span", { class: "lane-name" }, path),
          element("ol", { tabindex: "0", "aria-label": `${dataset.name}, ${path} path` }, ...hops.map((one) => hop(dataset.name, path, one, now))))))));
}

// --- answers ---

let questions = [];
let answersTurn = 0;

function answerCard(spec, answer) {
  const drawn = chartOf(answer, spec);
  const card = element("article", { class: "card" }, element("h3", {}, answer.title || spec.name));
  if (drawn) {
    const caption = [`${(spec.value || spec.y).replaceAll("_", " ")}`, drawn.caption].filter(Boolean).join(", ");
    card.append(drawn.svg, element("p", { class: "quiet" }, caption));
  }
  card.append(element("details", {}, element("summary", {}, answer.rows.length === 1 ? "1 row" : `${answer.rows.length} rows`), table(answer)));
  if (answer.notes && answer.notes.length) card.append(element("p", { class: "quiet" }, answer.notes.join(" ")));
  return card;
}

async function showAnswers() {
  const turn = ++answersTurn;
  const from = $("from").value;
  const cards = [];
  $("answers-note").textContent = "asking…";
  try {
    for (const spec of questions) {
      const answer = await call("ask", { question: spec.name, from });
      if (turn !== answersTurn) return;
      cards.push(answerCard(spec, answer));
      $("answers-out").replaceChildren(...cards);
    }
    $("answers-note").textContent = "";
  } catch (error) {
    if (turn !== answersTurn) return;
    $("answers-out").replaceChildren();
    $("answers-note").textContent = error.message;
  }
}

$("from").addEventListener("change", showAnswers);

// --- runs ---

async function showRuns() {
  try {
    const runs = await call("dag/runs", { count: runsMax });
    $("runs-out").replaceChildren(runs.rows.length ? table(runs) : element("p", { class: "quiet" }, "No run yet."));
  } catch (error) {
    $("runs-out").textContent = error.message;
  }
}

$("run-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!sessionStorage.getItem("token")) {
    $("run-note").textContent = "To change anything, open the address that `pinpipe up` prints: it carries the token.";
    return;
  }
  $("run-note").textContent = "running…";
  try {
    const answer = await call("dag/run", { wait: true });
    $("run-note").textContent = answer.failed ? "the run failed" : "done";
  } catch (error) {
    $("run-note").textContent = error.message;
  }
  showRuns();
});

// --- records ---

function showTopics(names) {
  const list = names.join("\n");
  if ($("topic").dataset.list === list) return;
  $("topic").dataset.list = list;
  const chosen = $("topic").value;
  $("topic").replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  if (names.includes(chosen)) $("topic").value = chosen;
}

$("records-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const answer = await call("topic/tail", { topic: $("topic").value, count: recordsMax });
    $("records-out").replaceChildren(answer.rows.length ? table(answer) : element("p", { class: "quiet" }, "It is empty."));
  } catch (error) {
    $("records-out").textContent = error.message;
  }
});

// --- the state, as it comes ---

let versions = "";

function showState(state) {
  $("health").textContent = state.healthy ? "healthy" : state.reason;
  $("health").className = state.healthy ? "good" : "bad";
  showMap(state);
  showTopics(state.topics);
  questions = state.questions;
  const now = $("from").value === "stream" ? `stream ${state.stream_version}` : `batch ${state.batch_version}`;
  if (now === versions) return;
  versions = now;
  showAnswers();
  showRuns();
}

call("env").then((answer) => $("lookup-out").replaceChildren(table(answer)), (error) => { $("lookup-out").textContent = error.message; });
showRuns();

const events = new EventSource("/events");
events.onmessage = (event) => showState(JSON.parse(event.data));
events.onerror = () => {
  $("health").textContent = "the server does not answer";
  $("health").className = "bad";
};
