import type { OpenAPIV3_1 } from 'openapi-types';
import { errorCatalogue } from '../errors.ts';
import { fieldTable, prose } from './docs-fields.ts';
import { type Html, html } from './html.ts';
import { METHODS, type Operation } from './operation.ts';

type Entry = { method: string; path: string; operation: Operation };

/** The API document as one page that needs no JavaScript; its style carries the nonce. */
export function docsPage(document: OpenAPIV3_1.Document, nonce: string): string {
  const groups = Map.groupBy(entriesOf(document), entry => entry.operation.tags?.[0] ?? 'other');
  const names = [...groups.keys()];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title} API</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<nav aria-label="Contents"><strong>${document.info.title} ${document.info.version}</strong>
${names.map(name => html`<a href="#group-${name}">${name}</a>`)}
<a href="#problems">problems</a>
<a href="/openapi.json">openapi.json</a></nav>
<main>
<h1>${document.info.title} API</h1>
<p>${prose(document.info.description)}</p>
<p>In the tables, * marks what is required.</p>
${[...groups].map(([name, entries]) => group(name, entries))}
${problems()}
</main>
</body>
</html>
`.text;
}

function entriesOf(document: OpenAPIV3_1.Document): Entry[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap(method => {
      const operation = item?.[method] as Operation | undefined;
      return operation ? [{ method: method.toUpperCase(), path, operation }] : [];
    }),
  );
}

function group(name: string, entries: Entry[]): Html {
  return html`<section id="group-${name}"><h2>${name}</h2>${entries.map(article)}</section>\n`;
}

function article({ method, path, operation }: Entry): Html {
  const anchor = `${method}-${path}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return html`<article id="${anchor}">
<h3><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code></h3>
<p>${operation.summary} <small>Needs: ${operation['x-permission']}</small></p>
${parameters(operation)}
${body(operation)}
${answers(operation)}
<pre tabindex="0"><code>${curl(method, path, operation)}</code></pre>
</article>
`;
}

function parameters(operation: Operation): Html | undefined {
  const list = (operation.parameters ?? []).filter(parameter => 'name' in parameter);
  if (list.length === 0) return undefined;
  const properties = Object.fromEntries(
    list.map(({ name, schema, description, in: place }) => [
      name,
      {
        ...(schema as OpenAPIV3_1.SchemaObject),
        description: [`in ${place}`, description].filter(Boolean).join('; '),
      },
    ]),
  );
  const required = list.filter(parameter => parameter.required).map(parameter => parameter.name);
  return html`<h4>Parameters</h4>${fieldTable({ type: 'object', properties, required })}`;
}

function body(operation: Operation): Html | undefined {
  const schema = jsonSchemaOf(operation.requestBody as OpenAPIV3_1.RequestBodyObject | undefined);
  return schema && html`<h4>Body</h4>${fieldTable(schema)}`;
}

function answers(operation: Operation): Html {
  const list = Object.entries(operation.responses ?? {}) as [string, OpenAPIV3_1.ResponseObject][];
  const good = list.filter(([, answer]) => !isProblem(answer));
  const bad = list.filter(([, answer]) => isProblem(answer)).map(([status]) => status);
  return html`<h4>Answers</h4>${good.map(([status, answer]) => {
    const schema = jsonSchemaOf(answer);
    return html`<p><strong>${status}</strong></p>${schema ? fieldTable(schema) : html`<p>No body.</p>`}`;
  })}<p>Problems: ${bad.join(', ')}, see <a href="#problems">below</a>.</p>`;
}

function isProblem(answer: OpenAPIV3_1.ResponseObject): boolean {
  return answer.content?.['application/problem+json'] !== undefined;
}

function jsonSchemaOf(
  holder: { content?: Record<string, OpenAPIV3_1.MediaTypeObject> } | undefined,
): OpenAPIV3_1.SchemaObject | undefined {
  return holder?.content?.['application/json']?.schema as OpenAPIV3_1.SchemaObject | undefined;
}

function curl(method: string, path: string, operation: Operation): string {
  const lines = [`curl -X ${method} http://localhost:3000${path}`];
  if (operation.security?.length) lines.push('-b cookies.txt');
  if (method !== 'GET' && operation.security?.length) lines.push("-H 'Origin: http://localhost:3000'");
  if (operation.requestBody) lines.push("-H 'Content-Type: application/json'", "-d '{…}'");
  if (path === '/v1/login') lines.push('-c cookies.txt');
  return lines.join(' \\\n  ');
}

function problems(): Html {
  const rows = Object.entries(errorCatalogue).map(
    ([code, status]) => html`<tr id="${code}"><td><code>${code}</code></td><td>${status}</td></tr>`,
  );
  return html`<section id="problems"><h2>problems</h2>
<p>Every error is <code>application/problem+json</code> (RFC 9457): <code>type</code>, <code>title</code>, <code>status</code>,
a stable <code>code</code>, a <code>detail</code> that says what to do, the <code>request_id</code>, and for wrong fields
<code>errors</code> with <code>path</code> and <code>detail</code>.</p>
<table><thead><tr><th>code</th><th>status</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

const STYLE = `:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:15px/1.55 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:13rem minmax(0,1fr)}
nav{position:sticky;top:0;align-self:start;padding:1.5rem;display:flex;flex-direction:column;gap:.35rem}
main{padding:1.5rem 2rem 4rem;max-width:60rem}
h2{text-transform:capitalize;border-bottom:1px solid var(--line);margin-top:3rem}
h3{font-size:1rem;margin:2.5rem 0 .25rem}h4{margin:1rem 0 .25rem;font-size:.85rem}
table{border-collapse:collapse;width:100%;font-size:.875rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
pre{background:var(--soft);padding:.75rem;overflow-x:auto;border-radius:6px}
code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
.method{font-size:.75rem;font-weight:700;padding:.1rem .4rem;border:1px solid currentColor;border-radius:4px}
@media(max-width:45rem){body{display:block}nav{position:static;flex-flow:row wrap}main{padding:0 1rem 3rem}
.fields thead{display:none}.fields tr,.fields td{display:block;border:0;padding:0}.fields tr{border-bottom:1px solid var(--line);padding:.4rem 0}}`;
