import { generateKeyPairSync, sign } from 'node:crypto';

/** A fresh self-signed certificate and its key, both PEM. Node can make keys but no certificates, hence the DER by hand. */
export function selfSignedCertificate({
  notBefore = '200101000000Z',
  notAfter = '491231235959Z',
  kind = 'rsa',
}: {
  /** ASN.1 UTCTimes. */
  notBefore?: string;
  notAfter?: string;
  kind?: 'rsa' | 'ec';
} = {}): { certificatePem: string; privateKeyPem: string } {
  const { publicKey, privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sha256WithRsa = sequence(Buffer.from('06092a864886f70d01010b0500', 'hex'));
  const commonName = Buffer.from('test certificate');
  const name = sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, commonName))));
  const validity = sequence(der(0x17, Buffer.from(notBefore)), der(0x17, Buffer.from(notAfter)));
  const serialNumber = der(0x02, Buffer.from([1]));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const content = sequence(serialNumber, sha256WithRsa, name, validity, name, spki);
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  const base64 = sequence(content, sha256WithRsa, signature).toString('base64').replace(/.{64}/g, '$&\n').trim();
  return {
    certificatePem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, content.length >> 8, content.length & 0xff]), content]);
}
