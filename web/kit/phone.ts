import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** "+49 170 1234567": grouped as people read it. What cannot be read comes back as it is. */
export function phoneWords(phone: string): string {
  return parsePhoneNumberFromString(phone)?.formatInternational() ?? phone;
}

type PhoneReading = { ok: true; phone: string } | { ok: false; remedy: string };

/** Reads a number in international form, however it is grouped. */
export function readPhone(text: string): PhoneReading {
  const plain = text.trim().replace(/^00/, '+');
  if (plain === '') return { ok: false, remedy: 'Type a phone number.' };
  if (!plain.startsWith('+')) {
    return { ok: false, remedy: 'Start with + and the country code, such as +49 170 1234567.' };
  }
  const number = parsePhoneNumberFromString(plain);
  if (!number?.isPossible() || !/^\+[1-9][0-9]{6,14}$/.test(number.number)) {
    return { ok: false, remedy: 'This is no whole phone number. Check the country code and the digits.' };
  }
  return { ok: true, phone: number.number };
}
