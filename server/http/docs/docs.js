/** Shows openapi.json as a page. Text only ever goes in as text. */

const made = (name, text = "", className = "") => {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
};

const response = await fetch("/api/v1/openapi.json", { signal: AbortSignal.timeout(10_000) });
const api = await response.json();

/** Write a schema as an example-like outline; `seen` stops at a model inside itself. */
function outline(schema, seen = []) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return seen.includes(name) ? name : outline(api.components.schemas[name], [...seen, name]);
  }
  if (schema.anyOf) {
    const kinds = schema.anyOf.map((kind) => outline(kind, seen));
    return kinds.find((kind) => typeof kind === "object") ?? kinds.join(" | ");
  }
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return [outline(schema.items ?? {}, seen)];
  if (schema.properties) {
    const required = new Set(schema.required ?? []);
    const fields = Object.entries(schema.properties).map(([name, field]) => [
      required.has(name) ? name : `${name}?`,
      outline(field, seen),
    ]);
    return Object.fromEntries(fields);
  }
  return schema.description ? `${schema.type ?? "any"}: ${schema.description}` : (schema.type ?? "any");
}

function block(title, schema) {
  const part = document.createDocumentFragment();
  part.append(made("h3", title), made("pre", JSON.stringify(outline(schema), null, 2)));
  return part;
}

function call(path, method, operation) {
  const details = made("details");
  const summary = made("summary");
  summary.append(made("span", method.toUpperCase(), `method ${method}`), made("code", path));
  summary.append(made("span", operation.summary, "what"));
  const about = made("div", "", "about");
  about.append(made("p", operation.description));
  const query = operation.parameters.filter((parameter) => parameter.in === "query");
  if (query.length > 0) {
    about.append(made("h3", "Query"));
    const lines = query.map((field) => `${field.name}: ${field.schema.type ?? ""} ${field.description}`);
    about.append(made("pre", lines.join("\n")));
  }
  for (const [type, content] of Object.entries(operation.requestBody?.content ?? {})) {
    about.append(block(`Body, ${type}`, content.schema));
  }
  for (const [status, answer] of Object.entries(operation.responses)) {
    if (status === "default") continue;
    const [type, content] = Object.entries(answer.content ?? {})[0] ?? [];
    if (content) about.append(block(`Answer ${status}, ${type}`, content.schema));
    else about.append(made("h3", `Answer ${status}: ${answer.description}`));
  }
  details.append(summary, about);
  return details;
}

document.querySelector("#introduction").textContent = api.info.description;
const sections = new Map();
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const tag = operation.tags[0];
    if (!sections.has(tag)) {
      const section = made("section");
      section.id = tag;
      section.append(made("h2", tag));
      sections.set(tag, section);
      const link = made("a", tag);
      link.href = `#${tag}`;
      document.querySelector("#contents").append(link);
      document.querySelector("#calls").append(section);
    }
    sections.get(tag).append(call(path, method, operation));
  }
}
