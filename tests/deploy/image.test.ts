import { readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { trackedFiles } from '../../scripts/findings.ts';
import { readIgnore } from '../../scripts/image/context.ts';
import { readStages } from '../../scripts/image/dockerfile.ts';
import { rehearse } from '../../scripts/image/rehearsal.ts';
import { ROOT } from './manifests.ts';

const dockerfile = readFileSync(`${ROOT}Dockerfile`, 'utf8');
const stages = readStages(dockerfile);

/** What the rules below object to. */
function objections(text: string): string[] {
  const all = readStages(text);
  const names = all.map(({ name }) => name);
  return [
    ...validate(text).map(({ message }) => String(message)),
    ...all
      .filter(({ base }) => !names.includes(base) && !/^[\w./-]+:\d[\w.-]*$/.test(base))
      .map(({ base }) => `${base} is no pinned image`),
    ...(/^\d+:\d+$/.test(all.at(-1)?.user ?? '') ? [] : ['the user is no number']),
    ...(/^USER 0|^USER root/m.test(text) ? ['something runs as root'] : []),
    ...(/^(?:ADD|RUN .*(?:curl|wget|sudo))\b/m.test(text) ? ['something is fetched past the lock file'] : []),
    ...(/npm (?:install|i|update)\b/.test(text) ? ['npm does not keep to the lock file'] : []),
    ...all.flatMap(({ steps }) =>
      steps.flatMap((step) =>
        step.kind === 'run' && /npm ci\b(?!.*--ignore-scripts)/.test(step.command) ? ['scripts of packages run'] : [],
      ),
    ),
    ...((all.at(-1)?.healthcheck.length ?? 0) > 0 ? [] : ['there is no health check']),
  ];
}

describe('the Dockerfile', () => {
  it('is well written', () => {
    expect(objections(dockerfile)).toEqual([]);
    expect(stages.map(({ name }) => name)).toEqual(['build', 'development', 'dependencies', 'runtime']);
    expect(stages.at(-1)).toMatchObject({
      env: { NODE_ENV: 'production' },
      entrypoint: ['node'],
      command: ['dist/main.js'],
    });
  });

  it.each([
    ['USER 1000:1000', 'USER node', 'the user is no number'],
    ['COPY prisma', 'COPPY prisma', /COPPY/],
    ['node:24-slim AS build', 'node AS build', 'node is no pinned image'],
    ['npm ci --omit', 'npm install --omit', 'npm does not keep to the lock file'],
    ['--omit=optional --ignore-scripts', '--omit=optional', 'scripts of packages run'],
    ['HEALTHCHECK', '# HEALTHCHECK', /./],
  ])('would not pass with %s as %s', (right, wrong, objection) => {
    const broken = dockerfile.replaceAll(right, wrong);
    expect(broken).not.toBe(dockerfile);
    const found = () => objections(broken);
    // Some mistakes cannot even be read.
    expect(
      (() => {
        try {
          return found();
        } catch (error) {
          return [String(error)];
        }
      })(),
    ).toEqual(expect.arrayContaining([typeof objection === 'string' ? objection : expect.stringMatching(objection)]));
  });
});

describe('the context of a build', () => {
  const isIgnored = readIgnore(readFileSync(`${ROOT}.dockerignore`, 'utf8'));

  it('has no secret, no leftover and no history', () => {
    for (const path of [
      '.env',
      '.git/config',
      '.data/development-secrets.json',
      'node_modules/a/index.js',
      'dist/main.js',
    ])
      expect([path, isIgnored(path)]).toEqual([path, true]);
    for (const path of [
      'src/generated/graphql.ts',
      'explorer/dist/index.html',
      'tests/support/tokens.ts',
      'bench/beside.ts',
    ])
      expect([path, isIgnored(path)]).toEqual([path, true]);
  });

  it('has every file of the program', () => {
    const program = trackedFiles('src', 'prisma', 'explorer', 'simulator', 'examples', 'package.json').map(
      ({ path }) => path,
    );
    expect(program.length).toBeGreaterThan(100);
    expect(program.filter(isIgnored)).toEqual([]);
  });
});

describe('the image', () => {
  it('built in an empty folder, migrates, serves and works as a user who may write nothing, and stops when told to', async () => {
    const seen = await rehearse({ project: ROOT.replace(/\/$/, ''), install: 'copy', say: () => undefined });
    expect(seen).toEqual({
      bytes: expect.any(Number),
      strangers: [],
      isWritable: process.getuid?.() === 0 ? false : null,
      migrated: expect.stringMatching(/^Applied \d+:/),
      server: {
        graphql: { data: null, errors: [expect.objectContaining({ extensions: { code: 'UNAUTHENTICATED' } })] },
        explorer: 200,
        stopped: 0,
      },
      worker: { graphql: 404, stopped: 0 },
      doctor: expect.stringMatching(/^The tenant “nobody” has nothing stored here/),
      healthOfStopped: 1,
    });
    expect(seen.bytes).toBeLessThan(250 * 1_048_576);
  }, 600_000);
});
