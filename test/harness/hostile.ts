import type { BrowserContext } from 'playwright-core';

/** Texts that would do something in a page, a template or a stylesheet that took them for more than text. */
const TEXTS = [
  '<script>ran()</script>',
  '"><script>ran()</script>',
  '</title><script>ran()</script>',
  '</textarea><script>ran()</script>',
  '</script><script>ran()</script>',
  '<scr<script>ipt>ran()</scr</script>ipt>',
  '<!--><script>ran()</script>-->',
  ']]><script>ran()</script>',
  '<template><script>ran()</script></template>',
  '<img src=x onerror=ran()>',
  '"><img src=x onerror="ran()">',
  '<svg onload=ran()>',
  '<svg><animate onbegin=ran() attributeName=x>',
  '<math><mtext><img src=x onerror=ran()>',
  '<details open ontoggle=ran()>x</details>',
  '<body onload=ran()>',
  '<input autofocus onfocus=ran()>',
  '<video><source onerror=ran()></video>',
  '<iframe srcdoc="<script>parent.ran()</script>">',
  '<iframe src=javascript:parent.ran()>',
  '<a href=javascript:ran()>x</a>',
  '<object data=javascript:ran()></object>',
  '<embed src=javascript:ran()>',
  '<form action=javascript:ran()><button autofocus>x',
  '<link rel=stylesheet href=//elsewhere.invalid/x>',
  '<style>@import "//elsewhere.invalid/y"</style>',
  '<style>*{display:none}</style>',
  '<meta http-equiv=refresh content="0;//elsewhere.invalid">',
  '<base href=//elsewhere.invalid/>',
  '<img src=//elsewhere.invalid/z>',
  '<p style="background:url(//elsewhere.invalid/p)">',
  'javascript:ran()',
  'data:text/html,<script>ran()</script>',
  "{{constructor.constructor('ran()')()}}",
  `\${ran()}`,
  '#{ran()}',
  '<%= ran() %>',
  `[[\${ran()}]]`,
  '{%raw%}{{7*7}}',
  "';ran();//",
  '";ran();//',
  "' onmouseover='ran()",
  '" autofocus onfocus="ran()',
  '\\u003cscript\\u003eran()\\u003c/script\\u003e',
  '&lt;script&gt;ran()&lt;/script&gt;',
  '&#60;script&#62;ran()&#60;/script&#62;',
  '%3Cscript%3Eran()%3C/script%3E',
  '<noscript><p title="</noscript><img src=x onerror=ran()>">',
  'constructor.prototype.toString',
];

/** All of them, several to a name, each name of at most `most` characters. */
export function hostileNames(most: number): string[] {
  const names: string[] = [];
  for (const text of TEXTS) {
    const joined = `${names.at(-1) ?? ''} ${text}`.trim();
    if (names.length > 0 && joined.length <= most) names[names.length - 1] = joined;
    else names.push(text);
  }
  return names;
}

/**
 * Collects what the pages of a context should never do: run a text, break their content policy, fail, open a
 * dialog of the browser or ask another site.
 */
export async function watchForHarm(context: BrowserContext): Promise<string[]> {
  const harm: string[] = [];
  await context.exposeBinding('ran', ({ page }) => harm.push(`ran at ${page.url()}`));
  await context.exposeBinding('violated', ({ page }, what: string) => harm.push(`${what} at ${page.url()}`));
  await context.addInitScript(`document.addEventListener('securitypolicyviolation', event =>
    violated('policy ' + event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sample))`);
  context.on('weberror', error => harm.push(`error ${error.error().message}`));
  context.on('dialog', dialog => {
    harm.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', request => {
    if (/elsewhere\.invalid|^javascript:/.test(request.url())) harm.push(`request ${request.url()}`);
  });
  return harm;
}
