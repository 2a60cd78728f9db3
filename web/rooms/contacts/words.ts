import { phoneWords } from '../../kit/phone.ts';
import type { OptOut } from './api.ts';

/** What the person is called on screen. */
export function personName({ name, phone }: Pick<OptOut, 'name' | 'phone'>): string {
  if (name !== null) return name;
  return phone === null ? 'Somebody whose number WhatsApp has not told yet' : phoneWords(phone);
}
