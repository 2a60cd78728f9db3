import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** What is wrong with a number that has the right shape; undefined when it can exist. */
export function checkPhone(phone: string): string | undefined {
  const parsed = parsePhoneNumberFromString(phone);
  if (!parsed?.isPossible())
    return 'This number cannot exist. Check the country code and the number of digits.';
  return undefined;
}
