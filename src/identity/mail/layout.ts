import { Html, html, type Mail } from '../../kernel/index.ts';

/** What a mail says; its look is the same for all. Everything is plain text and escaped here. */
export type Letter = {
  kind: string;
  subject: string;
  /** Undefined where we do not know, or must not say, who reads it. */
  name?: string | undefined;
  paragraphs: string[];
  button?: { label: string; url: string };
  facts?: [label: string, value: string][];
  /** Below the line: why the person gets this, and what to do if it was not them. */
  footer: string;
};

/** As a mail client without style sheets shows it: tables, and each look beside its element. */
const TEXT = 'margin:0 0 16px;font-size:16px;line-height:24px;color:#1d1d27';
const DIM = 'margin:0;font-size:13px;line-height:20px;color:#5a5a6b';
const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const BUTTON =
  'display:inline-block;padding:12px 24px;border-radius:8px;background-color:#4a4fd9;color:#ffffff;font-size:16px;font-weight:600;text-decoration:none';

/** Clients that know the dark take these; the others keep what stands beside the elements. */
const DARK = new Html(`@media (prefers-color-scheme: dark) {
.page { background-color: #121218 !important; } .card { background-color: #1c1c25 !important; border-color: #383846 !important; }
.text { color: #ececf3 !important; } .dim { color: #a9a9bb !important; } .link { color: #a5a8ff !important; } }`);

/** The mail as HTML and as text, to one address. */
export function mailTo(to: string, letter: Letter): Mail {
  const { kind, subject } = letter;
  return { kind, to, subject: oneLine(subject), text: textOf(letter), html: htmlOf(letter).text };
}

function textOf({ name, paragraphs, button, facts = [], footer }: Letter): string {
  const lines = [greeting(name), ...paragraphs];
  if (facts.length > 0) lines.push(facts.map(([label, value]) => `${label}: ${oneLine(value)}`).join('\n'));
  if (button) lines.push(`${button.label}:\n${button.url}`);
  return `${[...lines, '--', footer].join('\n\n')}\n`;
}

function htmlOf({ subject, name, paragraphs, button, facts = [], footer }: Letter): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${DARK}</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#f4f4f8;${new Html(FONT)}">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background-color:#f4f4f8">
<tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px">
<tr><td style="padding:0 8px 16px;${new Html(FONT)}"><span class="link" style="font-size:20px;font-weight:700;color:#4a4fd9">Convoke</span></td></tr>
<tr><td class="card" style="padding:32px;background-color:#ffffff;border:1px solid #d9d9e3;border-radius:12px;${new Html(FONT)}">
<p class="text" style="${TEXT}">${greeting(name)}</p>
${paragraphs.map(words => html`<p class="text" style="${TEXT}">${words}</p>\n`)}
${facts.length > 0 && factTable(facts)}
${button && buttonOf(button)}
</td></tr>
<tr><td style="padding:16px 8px;${new Html(FONT)}"><p class="dim" style="${DIM}">${footer}</p></td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

function factTable(facts: [string, string][]): Html {
  const row = ([label, value]: [string, string]) => html`<tr>
<td class="dim" valign="top" style="padding:4px 16px 4px 0;font-size:14px;color:#5a5a6b">${label}</td>
<td class="text" valign="top" style="padding:4px 0;font-size:14px;color:#1d1d27">${value}</td></tr>`;
  return html`<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 16px">${facts.map(row)}</table>`;
}

function buttonOf({ label, url }: { label: string; url: string }): Html {
  return html`<p style="margin:24px 0"><a href="${url}" style="${BUTTON}">${label}</a></p>
<p class="dim" style="${DIM}">If the button does not work, open this address:<br>
<a class="link" href="${url}" style="color:#4a4fd9;word-break:break-all">${url}</a></p>`;
}

function greeting(name: string | undefined): string {
  return name ? `Hello ${oneLine(name)},` : 'Hello,';
}

/** A name that somebody chose must not look like lines of ours. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
