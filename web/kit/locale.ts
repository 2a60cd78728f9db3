/** The language of the browser as a tag that servers understand, or English: some say what no list knows. */
export const browserLocale = tagOf(navigator.language);

function tagOf(said: string): string {
  try {
    return Intl.getCanonicalLocales(said)[0] ?? 'en';
  } catch {
    return 'en';
  }
}
