import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { after, LIFECYCLE, type LifecycleEvent } from '../../src/services/meetings/lifecycle.ts';

const page = readFileSync('docs/lifecycle.md', 'utf8');
const arrows = [...page.matchAll(/^ {2}(\S+) --> (\S+): (.+)$/gm)].map(([, from, to, event]) => ({ from, to, event }));
const moves = Object.entries(LIFECYCLE).flatMap(([from, events]) =>
  Object.entries(events).map(([event, to]) => ({ from, to, event })),
);
const byText = (a: object, b: object) => JSON.stringify(a).localeCompare(JSON.stringify(b));

describe('docs/lifecycle.md', () => {
  it('shows every move of the code, and no other', () => {
    const drawn = arrows.filter(({ from }) => from !== '[*]');
    expect(drawn.toSorted(byText)).toEqual(moves.toSorted(byText));
  });

  it('begins where a meeting is stored', () => {
    expect(arrows.filter(({ from }) => from === '[*]')).toEqual([
      { from: '[*]', to: 'PROVISIONING', event: 'created' },
    ]);
  });

  it('explains every event', () => {
    const table = page.slice(page.indexOf('| event | what happened |'));
    for (const { event } of arrows) expect(table).toContain(event);
  });
});

describe('a move that cannot be', () => {
  it.each<[keyof typeof LIFECYCLE, LifecycleEvent]>([
    ['CANCELLED', 'made'],
    ['CANCELLING', 'made'],
    ['SCHEDULED', 'wanted again'],
    ['SCHEDULED', 'dropped'],
  ])('%s, %s is an error and not a status', (status, event) => {
    expect(() => after(status, event)).toThrow(`A meeting that is ${status} cannot be ${event}`);
  });
});
