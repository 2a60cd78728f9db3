/** How dates and numbers are written for somebody. */
export type Forms = {
  /** For what has words, such as the names of days: English in the forms of the region. */
  words: string;
  /** For bare numbers. */
  numbers: string;
  /** The day that a week begins with, 0 for Sunday. */
  weekStart: DayOfWeek;
};

type DayOfWeek = 0 | 1 | 2 | 3 | 4 | 5 | 6;

type Reader = Forms & { zone: string };

const languages = typeof navigator === 'undefined' ? [] : navigator.languages;

/** What the browser speaks, as a tag that servers understand: some systems hand on what no list knows. */
export const browserLocale = knownOf(languages[0] ?? '') ?? 'en';
export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const ofBrowser: Reader = {
  ...formsOf(languages.map(knownOf).find(tag => tag?.startsWith('en')) ?? 'en-GB'),
  zone: browserZone,
};
let reader = ofBrowser;

/** From now on dates and times are those of this person; of the browser, as far as the profile leaves it open. */
export function readFor(profile: { locale: string; time_zone: string | null } | undefined): void {
  const open = profile === undefined || profile.locale === 'en';
  reader = {
    ...(open ? ofBrowser : formsOf(knownOf(profile.locale) ?? browserLocale)),
    zone: knownZone(profile?.time_zone ?? browserZone) ?? browserZone,
  };
}

export const readerForms = (): Forms => reader;
export const readerZone = (): string => reader.zone;

export function numberWords(number: number): string {
  return new Intl.NumberFormat(reader.numbers, { numberingSystem: 'latn' }).format(number);
}

/** The tag without what systems append about signs and clocks: no list of languages knows that. */
export function regionOf(tag: string): string {
  return new Intl.Locale(tag).baseName;
}

/** The words of the app are English, so those in its dates are too; order, clock and signs are of the region. */
export function formsOf(tag: string): Forms {
  const locale = new Intl.Locale(tag);
  return { words: englishOf(locale), numbers: tag, weekStart: weekStartOf(locale) };
}

function englishOf(locale: Intl.Locale): string {
  if (locale.language === 'en') return locale.baseName;
  const { hourCycle } = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions();
  const regional = `en-${locale.maximize().region ?? 'GB'}`;
  const known = new Intl.DateTimeFormat(regional).resolvedOptions().locale === regional;
  return `${known ? regional : 'en-GB'}-u-hc-${hourCycle}`;
}

/** Monday where the browser does not say. */
function weekStartOf(locale: Intl.Locale): DayOfWeek {
  const { getWeekInfo } = locale as { getWeekInfo?: () => { firstDay: number } };
  return ((getWeekInfo?.call(locale).firstDay ?? 1) % 7) as DayOfWeek;
}

function knownOf(said: string): string | undefined {
  try {
    const [known] = Intl.DateTimeFormat.supportedLocalesOf(said);
    return known === undefined ? undefined : regionOf(known);
  } catch {
    return undefined;
  }
}

/** Zones get new names, which older browsers do not know. */
function knownZone(zone: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format();
    return zone;
  } catch {
    return undefined;
  }
}
