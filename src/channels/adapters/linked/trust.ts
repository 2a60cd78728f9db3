import { WA_CERT_DETAILS } from 'baileys';

export type Trust = {
  /** Another WhatsApp than the real one, such as the simulator. */
  socketUrl?: string | undefined;
  /** Its public root key, 32 bytes in hex. */
  rootKey?: string | undefined;
  sandbox: boolean;
};

export const WHATSAPP_URL = 'wss://web.whatsapp.com/ws/chat';

/**
 * Decides which server is WhatsApp. The client does not check validity dates or that the certified key is the
 * server's own, so TLS to the right host is what really authenticates it: any other address needs the sandbox.
 * Throws when a foreign address or root key is given outside of it.
 */
export function trustedUrl(trust: Trust): string {
  const { socketUrl, rootKey, sandbox } = trust;
  if (!sandbox) {
    if ((socketUrl !== undefined && socketUrl !== WHATSAPP_URL) || rootKey !== undefined) {
      throw new Error('A foreign WhatsApp address or root key is refused outside a sandbox.');
    }
    return WHATSAPP_URL;
  }
  if (rootKey !== undefined) WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKey, 'hex');
  return socketUrl ?? WHATSAPP_URL;
}
