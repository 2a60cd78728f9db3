import { formsOf } from '../../../kit/reader.ts';
import { wallWords } from '../../../kit/time.ts';

const TAGS =
  'ar-AE ar-EG bg-BG bn-BD ca-ES cs-CZ da-DK de-AT de-CH de-DE el-GR en-AU en-CA en-GB en-IE en-IN en-NG en-NZ en-US en-ZA es-AR es-CO es-ES es-MX et-EE fa-IR fi-FI fr-BE fr-CA fr-CH fr-FR he-IL hi-IN hr-HR hu-HU id-ID it-IT ja-JP ko-KR lt-LT lv-LV ms-MY nb-NO nl-BE nl-NL pl-PL pt-BR pt-PT ro-RO ru-RU sk-SK sl-SI sr-RS sv-SE sw-KE ta-IN th-TH tr-TR uk-UA ur-PK vi-VN zh-CN zh-TW';

/** Languages and regions to choose from, named in English; `also` is among them in any case. */
export function regions(also: string): { value: string; label: string }[] {
  const names = new Intl.DisplayNames('en', { type: 'language', languageDisplay: 'standard' });
  return [...new Set([...TAGS.split(' '), ...(also === '' ? [] : [also])])]
    .map(value => ({ value, label: names.of(value) ?? value }))
    .toSorted((one, other) => one.label.localeCompare(other.label, 'en'));
}

/** How an afternoon and a number look there. */
export function exampleOf(tag: string): string {
  const { words, numbers } = formsOf(tag);
  const number = new Intl.NumberFormat(numbers, { numberingSystem: 'latn' }).format(12_345.6);
  return `${wallWords('2026-11-24T14:30', 'long', words)}, ${number}`;
}
