import { describe, expect, it } from 'vitest';
import { findBidiControls } from '../../../scripts/check-bidi.ts';
import { findComparedSecrets } from '../../../scripts/check-comparisons.ts';
import { findLongFiles } from '../../../scripts/check-file-length.ts';
import { findBreakingChanges } from '../../../scripts/check-schema-compat.ts';
import { findSecrets } from '../../../scripts/check-secrets.ts';
import { findSkippedTests } from '../../../scripts/check-skipped-tests.ts';
import { lineAt, trackedFiles } from '../../../scripts/findings.ts';

// What the guards look for is put together here, so that they pass over this file.
const file = (text: string, path = 'some/file.ts') => ({ path, text });
const repeat = (text: string, length: number) => text.repeat(length).slice(0, length);

describe('findings', () => {
  it('counts lines from 1', () => {
    expect([0, 1, 2, 3].map((index) => lineAt('a\nb\n', index))).toEqual([1, 1, 2, 2]);
  });

  it('reads the files of the project, and neither ignored nor binary ones', () => {
    const paths = trackedFiles().map(({ path }) => path);
    expect(paths).toContain('scripts/findings.ts');
    expect(paths.filter((path) => path.startsWith('node_modules/'))).toEqual([]);
    expect(new Set(paths).size).toBe(paths.length);
    expect(trackedFiles('*.graphql').map(({ path }) => path)).toContain('schema.graphql');
  });
});

describe('bidirectional controls', () => {
  it.each([0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069])('are found: %i', (code) => {
    const found = findBidiControls(file(`fine\nconst a = '${String.fromCharCode(code)}';\n`));
    expect(found).toEqual([{ file: 'some/file.ts', line: 2, message: 'bidirectional control character' }]);
  });

  it('are not other characters, such as Hebrew, an emoji or an ellipsis', () => {
    expect(findBidiControls(file('שלום 👩‍💻 … \u200b'))).toEqual([]);
  });
});

describe('secrets', () => {
  const key = (kind: string) => `${repeat('-', 5)}BEGIN ${kind}PRIVATE KEY${repeat('-', 5)}`;
  const material = repeat('MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 64);
  const part = (text: string) => Buffer.from(text).toString('base64url');
  const head = `${part('{"alg":"RS256"}')}.${part('{"sub":"someone"}')}`;

  it.each([
    ['private key', `${key('')}\n${material}`],
    ['private key', `${key('RSA ')}\r\n${material}`],
    ['private key', `const pem = '${key('EC ')}\\n${material}';`],
    ['private key', `['${key('OPENSSH ')}',\n  '${material}'`],
    ['JSON Web Token', `Bearer ${head}.${repeat('c2lnbmF0dXJl', 43)}`],
    ['AWS access key', `key=AKIA${repeat('Z7', 16)}`],
    ['AWS secret key', `aws_secret_${'access_key'} = ${repeat('aB3/', 40)}`],
    ['webhook secret', `whsec_${repeat('aB3+', 32)}`],
    ['client secret of Microsoft Entra', `secret: 'aB18Q~${repeat('xY-_.~9', 34)}'`],
    ['GitHub token', `ghp_${repeat('aB3', 36)}`],
  ])('are found: %s', (kind, text) => {
    expect(findSecrets(file(`\n${text}\n`))).toEqual([{ file: 'some/file.ts', line: 2, message: kind }]);
  });

  it.each([
    ['a header that code looks for', `if (pem.includes('${key('')}')) return;`],
    ['a certificate', `${repeat('-', 5)}BEGIN CERTIFICATE${repeat('-', 5)}\n${material}`],
    ['a token that nobody signed', `${head}.${part('signature')}`],
    ['a webhook secret that was left out', 'whsec_…[,whsec_…]'],
    ['a placeholder of a client secret', 'abc8Q~...'],
    ['a long identifier', repeat('aB3xY9', 120)],
  ])('are not %s', (_, text) => {
    expect(findSecrets(file(text))).toEqual([]);
  });

  it.each(['.env', 'deploy/.env', '.env.production'])('may not lie in an environment file: %s', (path) => {
    expect(findSecrets(file('A=b', path))).toEqual([{ file: path, line: 1, message: 'environment file' }]);
  });

  it.each(['.env.example', 'src/environment.ts', 'docs/a.env.md'])('may be told of in %s', (path) => {
    expect(findSecrets(file('A=b', path))).toEqual([]);
  });
});

describe('compared secrets', () => {
  it.each([
    'if (secret === given) return;',
    'if (given !== row.clientState) return;',
    'return expected == config.apiKey;',
    'if (signature !== mac(key)) return;',
    'if (hmac(text) === given) return;',
    'return one.nonce===other.nonce;',
  ])('are found: %s', (text) => {
    expect(findComparedSecrets(file(`\n${text}`))).toContainEqual(expect.objectContaining({ line: 2 }));
  });

  it.each([
    'if (secret === undefined || null !== nonce) return;',
    "if (typeof signature !== 'string' || password === '') return;",
    "if ('' !== secret.value) return;",
    'if (nonce.length !== 12) return;',
    'if (isSameSecret(secret, given)) return;',
    'const secret = given;',
    'const isSecret = (text) => text === other;',
  ])('are not %s', (text) => {
    expect(findComparedSecrets(file(text))).toEqual([]);
  });
});

describe('skipped tests', () => {
  const [skip, only, todo, fails] = ['sk_ip', 'on_ly', 'to_do', 'fa_ils'].map((word) => word.replace('_', ''));

  it.each([
    `it.${skip}('x', () => {});`,
    `test.${only}('x', () => {});`,
    `describe.${todo}('x');`,
    `it.${fails}('x', () => {});`,
    `it.${skip}If(isSlow)('x', () => {});`,
    `test.run${'If'}(isFast)('x', () => {});`,
    `describe.concurrent.${skip}.each([1])('x', () => {});`,
    `it\n  .${only}('x', () => {});`,
    `x${'it'}('x', () => {});`,
    `f${'describe'}('x', () => {});`,
    `it('x', { ${skip}: true }, () => {});`,
    `it('x', (context) => context.${skip}());`,
  ])('are found: %s', (text) => {
    expect(findSkippedTests(file(`\n${text}`))).toEqual([expect.objectContaining({ file: 'some/file.ts', line: 2 })]);
  });

  it.each([
    `it('does not ${skip} anything', () => {});`,
    `it.each([1])('x', () => {});`,
    `describe('only what is asked', () => {});`,
    'await iterator.next(); commit(); audit.only;',
  ])('are not %s', (text) => {
    expect(findSkippedTests(file(text))).toEqual([]);
  });
});

describe('long files', () => {
  it.each([
    [400, 0],
    [401, 1],
  ])('begin above 400 lines: %i', (lines, count) => {
    expect(findLongFiles(file('x\n'.repeat(lines)))).toHaveLength(count);
    expect(findLongFiles(file('x\n'.repeat(lines).trimEnd()))).toHaveLength(count);
  });

  it('may be generated', () => {
    expect(findLongFiles(file('x\n'.repeat(500), 'src/generated/graphql.ts'))).toEqual([]);
  });
});

describe('breaking changes of the schema', () => {
  const published = `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    type Query { meeting(id: ID!): Meeting }
    type Meeting @key(fields: "id") { id: ID! subject: String! state: State! }
    enum State { OPEN CLOSED }
    input Filter { state: State }
  `;
  const against = (from: string | RegExp, to: string) => {
    const current = published.replace(from, to);
    expect(current).not.toBe(published);
    return findBreakingChanges(file(published, 'published.graphql'), file(current, 'schema.graphql'));
  };

  it.each([
    ['a field removed', ' subject: String!', '', 'published.graphql', 4],
    ['a field of another type', 'subject: String!', 'subject: Int!', 'schema.graphql', 4],
    ['a field that may be null now', 'subject: String!', 'subject: String', 'schema.graphql', 4],
    ['an enum value removed', ' CLOSED', '', 'published.graphql', 5],
    ['an argument required now', 'id: ID!)', 'id: ID!, tenant: ID!)', 'schema.graphql', 3],
    ['an input field required now', 'state: State }', 'state: State! }', 'schema.graphql', 6],
    ['a type removed', /input Filter.*/, '', 'published.graphql', 6],
  ])('are found: %s', async (_, from, to, path, line) => {
    expect(await against(from, to)).toEqual([{ file: path, line, message: expect.any(String) }]);
  });

  it.each([
    ['a field added', 'subject: String!', 'subject: String! notes: String'],
    ['a type added', 'enum State', 'type Extra { id: ID! } enum State'],
    ['an argument added', 'id: ID!)', 'id: ID!, tenant: ID)'],
    ['a description', 'type Meeting', '"A meeting." type Meeting'],
    ['an input field added', 'input Filter {', 'input Filter { more: Int'],
  ])('are not %s', async (_, from, to) => {
    expect(await against(from, to)).toEqual([]);
  });
});
