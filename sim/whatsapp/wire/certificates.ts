import type { KeyPair } from 'baileys';
import { Curve, proto } from 'baileys';

export type Certificates = {
  /** Public root key (32 bytes) that a client has to trust instead of WhatsApp's. */
  rootKey: Buffer;
  /** The server's static Noise key. */
  staticKey: KeyPair;
  /** Encoded chain that the server shows in its hello. */
  chain: Uint8Array;
};

const FAR_FUTURE_S = 4102444800;

/** Root, intermediate and leaf; Baileys checks both signatures and that the intermediate's issuer has serial 0. */
export function createCertificates(): Certificates {
  const root = Curve.generateKeyPair();
  const intermediate = Curve.generateKeyPair();
  const staticKey = Curve.generateKeyPair();
  const upper = details(1, 0, intermediate.public);
  const lower = details(2, 1, staticKey.public);
  const chain = proto.CertChain.encode({
    intermediate: { details: upper, signature: Curve.sign(root.private, upper) },
    leaf: { details: lower, signature: Curve.sign(intermediate.private, lower) },
  }).finish();
  return { rootKey: Buffer.from(root.public), staticKey, chain };
}

function details(serial: number, issuerSerial: number, key: Uint8Array): Uint8Array {
  const fields = { serial, issuerSerial, key, notBefore: 0, notAfter: FAR_FUTURE_S };
  return proto.CertChain.NoiseCertificate.Details.encode(fields).finish();
}
