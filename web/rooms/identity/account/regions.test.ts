import { describe, expect, it } from 'vitest';
import { regionOf } from '../../../kit/reader.ts';
import { exampleOf, regions } from './regions.ts';

const german = { value: 'de-DE', label: 'German (Germany)' };

describe('languages and regions', () => {
  it('holds what the profile says, once and by its name, whatever a system has appended to it', () => {
    const all = regions(regionOf('de-DE-u-nu-latn'));
    expect(all.filter(one => one.label === german.label)).toEqual([german]);
    expect(all).toEqual(regions(''));
    expect(regions(regionOf('de-LI-u-hc-h12-nu-latn'))).toContainEqual({
      value: 'de-LI',
      label: 'German (Liechtenstein)',
    });
  });

  it('shows an afternoon and a number', () => {
    expect(exampleOf('de-DE')).toMatch(/14:30.*, 12\.345,6$/);
  });
});
