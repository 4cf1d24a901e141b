// Shows the OpenAPI documents of this server. Everything from a model is set as text, never as markup.
"use strict";

const VERBS = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);
let shown = null; // the document that is on the page

function make(tag, given, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given || {})) node.setAttribute(name, value);
  node.append(...inside.filter((part) => part !== null && part !== undefined && part !== ""));
  return node;
}

/** Text with its `code` as code. */
function marked(text) {
  return (text || "").split("`").map((part, n) => (n % 2 ? make("code", {}, part) : part)).filter((part) => part !== "");
}

async function read(path) {
  const headers = { accept: "application/json" };
  if (byId("token").value) headers["x-auth-token"] = byId("token").value;
  const answer = await fetch(path, { headers, redirect: "error" });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail || `the server answers ${answer.status}`);
  return body;
}

function resolved(thing) {
  for (let hops = 0; thing && thing.$ref && hops < 20; hops += 1) {
    thing = thing.$ref.slice(2).split("/").reduce((at, step) => at && at[step.replace(/~1/g, "/").replace(/~0/g, "~")], shown);
  }
  return thing || {};
}

// -- schemas

const LIMITS = [["minimum", "from "], ["maximum", "to "], ["maxLength", "at most ", " characters"],
  ["minItems", "at least ", " items"], ["maxItems", "at most ", " items"]];
const ANY_TEXT = "^[^\\u0000]*$";
const SHOWN_PATTERN = 100; // what is longer says nothing to people

function typeOf(schema) {
  schema = resolved(schema);
  const either = schema.type ? null : schema.anyOf || schema.oneOf;
  if (either) return [...new Set(either.map(resolved).filter((one) => one.maxLength !== 0).map(typeOf))].join(" or ");
  if (!schema.type && schema.enum) return "one of";
  const kinds = [schema.type || "any"].flat().map((kind) => {
    if (kind === "array" && schema.items) return `list of ${typeOf(schema.items)}`;
    return kind === "string" && schema.format ? schema.format : kind === "object" ? "object" : kind;
  });
  return kinds.join(" or ");
}

function constraints(schema) {
  schema = resolved(schema);
  const found = [];
  const values = schema.enum || resolved(schema.items).enum;
  if (values) found.push(values.map((v) => JSON.stringify(v)).join(", "));
  for (const [key, before, after = ""] of LIMITS) if (schema[key] !== undefined) found.push(`${before}${schema[key]}${after}`);
  if (schema.minLength) found.push(schema.minLength === 1 ? "not empty" : `at least ${schema.minLength} characters`);
  const pattern = schema.format || schema.pattern === ANY_TEXT ? "" : schema.pattern || "";
  if (pattern && pattern.length < SHOWN_PATTERN) found.push(`matches ${pattern}`);
  if (schema.uniqueItems) found.push("no doubles");
  if (schema.default !== undefined) found.push(`else ${JSON.stringify(schema.default)}`);
  if (schema.readOnly) found.push("read only");
  if (schema.writeOnly) found.push("never shown");
  return found.join("; ");
}

/** Each member, and theirs; `starred`: those that must be given have a star. */
function rows(schema, prefix, depth, starred) {
  schema = resolved(schema);
  if (!schema.properties && schema.anyOf) return schema.anyOf.flatMap((one) => rows(one, prefix, depth, starred));
  const found = [];
  const needed = new Set(starred ? schema.required || [] : []);
  for (const [name, value] of Object.entries(schema.properties || {})) {
    const inner = resolved(value);
    found.push(make("tr", {},
      make("td", {}, make("code", {}, prefix + name), needed.has(name) ? make("b", { title: "must be given" }, " *") : ""),
      make("td", {}, make("code", {}, typeOf(inner))),
      make("td", {}, ...marked(inner.description), make("div", { class: "soft" }, constraints(inner)))));
    if (depth < 3 && inner.properties) found.push(...rows(inner, `${prefix}${name}.`, depth + 1, starred));
    const items = resolved(inner.items || (typeof inner.additionalProperties === "object" ? inner.additionalProperties : null));
    if (depth < 3 && (items.properties || items.anyOf)) found.push(...rows(items, `${prefix}${name}[].`, depth + 1, starred));
  }
  return found;
}

function fields(schema, caption, starred) {
  return make("table", { class: "fields" },
    make("thead", {}, make("tr", {}, ...[caption, "Type", "Meaning"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows(schema, "", 0, starred)));
}

// -- operations

function quoted(text) { return `'${text.replace(/'/g, "'\\''")}'`; }

function curl(verb, path, body, kind) {
  const words = [`curl -X ${verb.toUpperCase()} ${quoted(location.origin + path)}`];
  if (byId("token").value) words.push(`-H "X-Auth-Token: $TOKEN"`);
  if (body !== undefined) words.push(`-H ${quoted(`Content-Type: ${kind}`)}`, `-d ${quoted(JSON.stringify(body))}`);
  return words.join(" \\\n  ");
}

function example(schema, depth = 0) {
  schema = resolved(schema);
  if (schema.anyOf) return example(schema.anyOf[0], depth);
  if (schema.examples && schema.examples.length) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const kind = [schema.type].flat()[0];
  if (kind === "object") {
    const names = depth > 2 ? [] : schema.required || [];
    return Object.fromEntries(names.map((name) => [name, example((schema.properties || {})[name] || {}, depth + 1)]));
  }
  if (kind === "array") return schema.minItems ? [example(schema.items || {}, depth + 1)] : [];
  if (kind === "integer" || kind === "number") return schema.minimum || 0;
  if (kind === "boolean") return true;
  return schema.format === "uuid" ? "5c0f3a52-6d5e-4a4b-9f0c-1a2b3c4d5e6f" : "text";
}

/** The names of what an object in a query has. */
function members(schema) { return Object.keys(schema.properties || {}).join(", "); }

function parameterRow(given) {
  const parameter = resolved(given);
  return make("tr", {},
    make("td", {}, make("code", {}, parameter.name), parameter.required ? make("b", { title: "must be given" }, " *") : "", make("div", { class: "soft" }, `in the ${parameter.in}`)),
    make("td", {}, make("code", {}, typeOf(parameter.schema || {}))),
    make("td", {}, ...marked(parameter.description), make("div", { class: "soft" }, constraints(parameter.schema || {}) || members(parameter.schema || {}))));
}

function responseRow([status, given]) {
  const response = resolved(given);
  const refused = Number(status) >= 400;
  return make("tr", {}, make("td", {}, make("code", {}, status)),
    make("td", {}, ...marked(response.description)),
    make("td", {}, refused ? make("a", { href: "/docs/errors" }, "codes") : ""));
}

/** The body of a good answer, if it has members. */
function answer(what) {
  const good = Object.entries(what.responses).find(([status]) => status < "300");
  const content = good && resolved(good[1]).content;
  const schema = content && content["application/json"] && resolved(content["application/json"].schema);
  return schema && schema.properties ? schema : null;
}

function table(heads, lines) {
  return make("table", { class: heads.length > 2 && heads[2] ? "fields" : "" }, make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...lines));
}

function operation(path, verb, item) {
  const what = item[verb];
  const all = [...(item.parameters || []), ...(what.parameters || [])];
  const content = what.requestBody ? resolved(what.requestBody).content : null;
  const kind = content ? Object.keys(content)[0] : "";
  const body = content ? content[kind].example !== undefined ? content[kind].example : example(content[kind].schema) : undefined;
  const node = make("details", { id: `op-${what.operationId || `${verb} ${path}`}` },
    make("summary", {}, make("span", { class: `verb ${verb}` }, verb.toUpperCase()), " ",
      make("code", what.deprecated ? { class: "old" } : {}, path), " ", make("span", { class: "soft" }, ...marked(what.summary))));
  node.addEventListener("toggle", () => { // only what is looked at is made
    if (!node.open || node.children.length > 1) return;
    if (what.description) node.append(make("p", {}, ...marked(what.description)));
    node.append(make("pre", {}, curl(verb, path, body, kind)));
    if (all.length) node.append(make("h3", {}, "Parameters"), table(["Name", "Type", "Meaning"], all.map(parameterRow)));
    if (content) {
      const schema = resolved(content[kind].schema);
      node.append(make("h3", {}, "Body"), fields(schema.anyOf ? schema.anyOf[0] : schema, "Field", true));
    }
    const answered = answer(what);
    if (answered && !(shown.components.schemas || {})[what.tags[0]]) node.append(make("h3", {}, "What comes back"), fields(answered, "Field", false));
    node.append(make("h3", {}, "Answers"), table(["Status", "Meaning", ""], Object.entries(what.responses).map(responseRow)));
  });
  return node;
}

// -- the page

function sectionOf(tag) {
  const schema = (shown.components.schemas || {})[tag.name];
  const node = make("section", { id: `type-${tag.name}`, "data-words": tag.name.toLowerCase() }, make("h2", {}, tag.name), tag.description ? make("p", {}, tag.description) : "");
  const words = [tag.name, tag.description || "", ...Object.keys((schema || {}).properties || {})];
  for (const [path, item] of Object.entries(shown.paths)) {
    for (const verb of VERBS) {
      if (!item[verb] || !(item[verb].tags || []).includes(tag.name)) continue;
      words.push(path);
      node.append(operation(path, verb, item));
    }
  }
  if (schema) node.append(make("h3", {}, "Fields"), fields(schema, "Field", false));
  node.dataset.words = words.join(" ").toLowerCase();
  return node;
}

function show(document_) {
  shown = document_;
  const info = shown.info;
  document.title = `${info.title} ${info.version} · Gluon API`;
  const tags = shown.tags || [];
  byId("types").replaceChildren(make("ul", {}, ...tags.map((tag) => {
    const link = make("a", { href: `#type-${encodeURIComponent(tag.name)}` }, tag.name);
    link.addEventListener("click", (event) => { event.preventDefault(); jump(`type-${tag.name}`); });
    return make("li", { "data-type": `type-${tag.name}` }, link);
  })));
  byId("content").replaceChildren(
    make("h2", {}, `${info.title} ${info.version}`), make("p", {}, info.description || ""), ...tags.map(sectionOf));
  filter();
}

function jump(name) {
  const node = byId(name);
  if (!node) return;
  node.scrollIntoView();
  node.setAttribute("tabindex", "-1");
  node.focus({ preventScroll: true });
}

function filter() {
  const wanted = byId("find").value.trim().toLowerCase();
  let found = 0;
  for (const node of byId("content").querySelectorAll("section")) {
    node.hidden = wanted !== "" && !node.dataset.words.includes(wanted);
    found += node.hidden ? 0 : 1;
    const link = byId("types").querySelector(`[data-type="${CSS.escape(node.id)}"]`);
    if (link) link.hidden = node.hidden;
  }
  const none = byId("none");
  if (none) none.remove();
  if (wanted && !found) byId("content").append(make("p", { id: "none" }, `Nothing here has ${JSON.stringify(wanted)} in a type, a path or a field.`));
}

function failed(error) {
  byId("types").replaceChildren();
  byId("content").replaceChildren(make("p", { role: "alert" }, `${error.message}. A token may be needed: give it above.`));
}

/** What stands behind `#/`. */
function nameOf(path) {
  return path.replace("/gluon/v1/", "").replace("protons/", "").replace("/openapi.json", "").replace("openapi.json", "gluon");
}

let all = []; // the name of each document, and its path

/** Shows the document that the address names; without a name the first one. */
async function choose() {
  const wanted = location.hash.startsWith("#/") ? location.hash.slice(2) : "";
  const found = wanted ? all.find(([, path]) => nameOf(path) === wanted) : all[0];
  byId("protons").value = found ? found[1] : "";
  if (!found) {
    byId("types").replaceChildren();
    byId("content").replaceChildren(make("p", { role: "alert" }, `${decoded(wanted)} is not served here. Choose a proton above.`));
    return;
  }
  if (!wanted) history.replaceState(null, "", `#/${nameOf(found[1])}`);
  byId("content").replaceChildren(make("p", {}, "Reading…"));
  const still = () => byId("protons").value === found[1]; // another one may be chosen meanwhile
  try {
    const read_ = await read(found[1]);
    if (still()) show(read_);
  } catch (error) { if (still()) failed(error); }
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

async function start() {
  try {
    const { protons } = await read("/gluon/v1/protons");
    all = protons.map((one) => [`${one.name} ${one.version}`,
      `/gluon/v1/protons/${encodeURIComponent(one.name)}/v${encodeURIComponent(one.version)}/openapi.json`]);
    all.push(["Gluon itself", "/gluon/v1/openapi.json"]);
    byId("protons").replaceChildren(...all.map(([text, path]) => make("option", { value: path }, text)));
    await choose();
  } catch (error) { failed(error); }
}

byId("protons").addEventListener("change", () => { location.hash = `#/${nameOf(byId("protons").value)}`; });
window.addEventListener("hashchange", () => { if (all.length && location.hash.startsWith("#/")) choose(); });
byId("find").addEventListener("input", filter);
byId("token").addEventListener("change", start);
start();
