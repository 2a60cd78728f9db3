import type { OpenAPIV3_1 } from 'openapi-types';
import { type Html, html } from './html.ts';

type Schema = OpenAPIV3_1.SchemaObject;
type Row = { name: string; type: string; required: boolean; notes: string };

/** A schema as a table with one row per field, nested ones by their path. */
export function fieldTable(schema: Schema): Html {
  const rows = rowsOf(schema, '');
  if (rows.length === 0) return html`<p><code>${typeOf(schema)}</code> ${prose(notesOf(schema))}</p>`;
  return html`<table class="fields"><thead><tr><th>field</th><th>type</th><th>notes</th></tr></thead><tbody>${rows.map(
    row =>
      html`<tr><td><code>${row.name}</code>${row.required && ' *'}</td><td>${row.type}</td><td>${prose(row.notes)}</td></tr>`,
  )}</tbody></table>`;
}

/** A description, with what stands between backticks as code. */
export function prose(text = ''): Html {
  return html`${text.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}`;
}

function rowsOf(schema: Schema, above: string): Row[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = property as Schema;
    const path = above === '' ? name : `${above}.${name}`;
    const required = schema.required?.includes(name) === true;
    return [
      { name: path, type: typeOf(field), required, notes: notesOf(field) },
      ...rowsOf(inside(field), nested(field, path)),
    ];
  });
  return [...own, ...alternatives(schema).flatMap(one => rowsOf(one, above))];
}

/** What stands below a field: the entries of a list, or the field itself. */
function inside(field: Schema): Schema {
  return 'items' in field && field.items ? (field.items as Schema) : field;
}

function nested(field: Schema, path: string): string {
  return 'items' in field && field.items ? `${path}[]` : path;
}

function alternatives(schema: Schema): Schema[] {
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])] as Schema[];
}

function typeOf(schema: Schema): string {
  const others = alternatives(schema);
  if (others.length > 0) return [...new Set(others.map(typeOf))].join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' or ');
  if ('items' in schema && schema.items) return `list of ${typeOf(schema.items as Schema)}`;
  const type = [schema.type ?? 'anything'].flat().join(' or ');
  return schema.format ? `${type} (${schema.format})` : type;
}

function notesOf(schema: Schema): string {
  const bounds = [
    schema.description,
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
    schema.minimum === undefined ? undefined : `at least ${schema.minimum}`,
    schema.maximum === undefined || schema.maximum >= Number.MAX_SAFE_INTEGER
      ? undefined
      : `at most ${schema.maximum}`,
    schema.minLength === undefined ? undefined : `at least ${characters(schema.minLength)}`,
    schema.maxLength === undefined ? undefined : `at most ${characters(schema.maxLength)}`,
  ];
  return bounds.filter(Boolean).join('; ');
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`;
}
