import { describe, expect, it } from 'vitest';
import { DIRECTORY, draft, ORGANIZER, type Reply, useSimulator } from './support.ts';

const sim = useSimulator();
const EVENTS = `/users/${ORGANIZER}/events`;
const SET = '{66f5a359-4659-4830-9070-00047ec6ac6e}';
const COLOUR = `String ${SET} Name Colour`;
const SIZE = `String ${SET} Name Size`;

function properties(values: Record<string, string>) {
  return Object.entries(values).map(([id, value]) => ({ id, value }));
}

function create(singleValueExtendedProperties: unknown, more: Record<string, unknown> = {}) {
  return sim.call('POST', EVENTS, { body: draft({ singleValueExtendedProperties, ...more }) });
}

function expand(...ids: string[]): string {
  const conditions = ids.map((id) => `id eq '${id}'`).join(' or ');
  return `$expand=${encodeURIComponent(`singleValueExtendedProperties($filter=${conditions})`)}`;
}

function list(filter: string, more = ''): Promise<Reply> {
  return sim.call('GET', `${EVENTS}?$filter=${encodeURIComponent(filter)}${more}`);
}

function has(id: string, value: string): string {
  return `singleValueExtendedProperties/Any(ep: ep/id eq '${id}' and ep/value eq '${value}')`;
}

function subjects(answer: Reply): string[] {
  return answer.json.value.map((event) => event.subject);
}

describe('extended properties', () => {
  it('are kept, and shown only when they are asked for by id', async () => {
    const created = await create(properties({ [COLOUR]: 'Green', [SIZE]: 'L' }));
    expect(created.status).toBe(201);
    expect(created.json).not.toHaveProperty('singleValueExtendedProperties');
    const path = `${EVENTS}/${created.json.id}`;
    expect((await sim.call('GET', path)).json).not.toHaveProperty('singleValueExtendedProperties');
    const one = await sim.call('GET', `${path}?$select=subject&${expand(COLOUR)}`);
    expect(one.json).toMatchObject({
      subject: 'Quarterly review',
      singleValueExtendedProperties: [{ id: COLOUR, value: 'Green' }],
    });
    expect(one.json).not.toHaveProperty('start');
    const both = await sim.call('GET', `${path}?${expand(SIZE, COLOUR)}`);
    expect(both.json).toMatchObject({ singleValueExtendedProperties: properties({ [SIZE]: 'L', [COLOUR]: 'Green' }) });
    const listed = await sim.call('GET', `${EVENTS}?${expand(COLOUR)}`);
    expect(listed.json.value).toMatchObject([{ singleValueExtendedProperties: [{ value: 'Green' }] }]);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toMatchObject([
      { extendedProperties: { Colour: 'Green', Size: 'L' } },
    ]);
  });

  it('have a GUID in any case and a name in one', async () => {
    const { json } = await create(properties({ [COLOUR.replace(SET, SET.toUpperCase())]: 'Green' }));
    const inAnyCase = await sim.call('GET', `${EVENTS}/${json.id}?${expand(COLOUR.replace(SET, SET.toUpperCase()))}`);
    expect(inAnyCase.json).toMatchObject({ singleValueExtendedProperties: [{ id: COLOUR, value: 'Green' }] });
    const otherName = await sim.call('GET', `${EVENTS}/${json.id}?${expand(COLOUR.replace('Colour', 'COLOUR'))}`);
    expect(otherName.json).not.toHaveProperty('singleValueExtendedProperties');
  });

  it('are changed and added one by one by a PATCH', async () => {
    const { json } = await create(properties({ [COLOUR]: 'Green', [SIZE]: 'L' }));
    const body = { singleValueExtendedProperties: properties({ [COLOUR]: 'Red', 'Integer 0x0E08': '7' }) };
    expect((await sim.call('PATCH', `${EVENTS}/${json.id}`, { body })).status).toBe(200);
    const { json: read } = await sim.call('GET', `${EVENTS}/${json.id}?${expand(COLOUR, SIZE, 'Integer 0x0E08')}`);
    expect(read).toMatchObject({
      singleValueExtendedProperties: properties({ [COLOUR]: 'Red', [SIZE]: 'L', 'Integer 0x0E08': '7' }),
    });
  });

  it('are part of what a repeated create must repeat', async () => {
    const transactionId = 't-1';
    const first = await create(properties({ [COLOUR]: 'Green' }), { transactionId });
    expect((await create(properties({ [COLOUR]: 'Green' }), { transactionId })).json.id).toBe(first.json.id);
    const other = await create(properties({ [COLOUR]: 'Red' }), { transactionId });
    expect(other.json.error.code).toBe('ErrorDuplicateTransactionId');
  });

  it.each([
    ['no list', { id: COLOUR, value: 'x' }, 'RequestBodyRead'],
    ['no value', [{ id: COLOUR }], 'RequestBodyRead'],
    ['a number as value', [{ id: COLOUR, value: 7 }], 'RequestBodyRead'],
    ['no id', [{ value: 'x' }], 'RequestBodyRead'],
    ['another member', [{ id: COLOUR, value: 'x', name: 'y' }], 'RequestBodyRead'],
    ['a null', [null], 'RequestBodyRead'],
    ['a name only', properties({ Colour: 'x' }), 'ErrorInvalidExtendedProperty'],
    ['no GUID', properties({ 'String {colours} Name Colour': 'x' }), 'ErrorInvalidExtendedProperty'],
    ['no name', properties({ [`String ${SET} Name `]: 'x' }), 'ErrorInvalidExtendedProperty'],
  ])('are refused with %s', async (_case, given, code) => {
    const answer = await create(given);
    expect([answer.status, answer.json.error.code]).toEqual([400, code]);
  });

  it.each([
    'singleValueExtendedProperties',
    "singleValueExtendedProperties($filter=value eq 'x')",
    `singleValueExtendedProperties($filter=id eq '${COLOUR}' and id eq '${SIZE}')`,
    'multiValueExtendedProperties',
    'colour',
  ])('are not expanded by %s', async (expansion) => {
    const answer = await sim.call('GET', `${EVENTS}?$expand=${encodeURIComponent(expansion)}`);
    expect([answer.status, answer.json.error.code]).toEqual([400, 'BadRequest']);
  });

  it('need more than Calendars.ReadBasic', async () => {
    const token = await sim.tokenWithRoles('Calendars.ReadBasic');
    for (const query of [expand(COLOUR), `$filter=${encodeURIComponent(has(COLOUR, 'x'))}`]) {
      const answer = await sim.call('GET', `${EVENTS}?${query}`, { token });
      expect([answer.status, answer.json.error.code]).toEqual([403, 'ErrorAccessDenied']);
    }
    expect((await sim.call('GET', EVENTS, { token })).status).toBe(200);
  });
});

describe('a filter on an extended property', () => {
  async function createThree() {
    await create(properties({ [COLOUR]: 'Green' }), { subject: 'green' });
    await create(properties({ [COLOUR]: "O'Neil" }), { subject: 'quoted' });
    await create(properties({ [SIZE]: 'Green' }), { subject: 'size' });
    await sim.createEvent({ subject: 'plain' });
  }

  it('finds events by value without regard to case', async () => {
    await createThree();
    expect(subjects(await list(has(COLOUR, 'GREEN')))).toEqual(['green']);
    expect(subjects(await list(has(COLOUR.replace(SET, SET.toUpperCase()), 'green')))).toEqual(['green']);
    expect(subjects(await list(has(COLOUR, "O''Neil"), `&${expand(COLOUR)}`))).toEqual(['quoted']);
    expect(subjects(await list(has(COLOUR, 'Blue')))).toEqual([]);
    expect(subjects(await list(has(COLOUR.replace('Colour', 'colour'), 'Green')))).toEqual([]);
  });

  it('pages with its link', async () => {
    for (const subject of ['a', 'b', 'c']) await create(properties({ [COLOUR]: 'Green' }), { subject });
    const first = await list(has(COLOUR, 'Green'), `&$top=2&${expand(COLOUR)}`);
    const second = await sim.call('GET', first.json['@odata.nextLink'] ?? '');
    expect([subjects(first), subjects(second)]).toEqual([['a', 'b'], ['c']]);
    expect(second.json.value[0]).toHaveProperty('singleValueExtendedProperties');
  });

  it('is combined with times, before and after, or refused when Graph is to refuse it', async () => {
    await createThree();
    const combined = `${has(COLOUR, 'Green')} and start/dateTime ge '2030-07-01T00:00:00Z' and start/dateTime lt '2030-07-02T00:00:00Z'`;
    expect(subjects(await list(combined))).toEqual(['green']);
    expect(subjects(await list(`start/dateTime ge '2031-01-01T00:00:00Z' and ${has(COLOUR, 'Green')}`))).toEqual([]);
    await sim.control.setMarkerFilter({ combined: 'refused' });
    const refused = await list(combined);
    expect([refused.status, refused.json.error.code]).toEqual([400, 'ErrorInvalidUrlQueryFilter']);
    expect(subjects(await list(has(COLOUR, 'Green')))).toEqual(['green']);
  });

  it.each([
    ['', 'an empty filter'],
    [`${has(COLOUR, 'x')} and`, 'a loose end'],
    ["start/dateTime ge '2030-07-01T00:00:00Z' and ", 'a loose end after a comparison'],
    [`${has(COLOUR, 'x')} or ${has(COLOUR, 'y')}`, 'an alternative'],
    [`singleValueExtendedProperties/Any(ep: ep/id eq '${COLOUR}')`, 'no value'],
    [`singleValueExtendedProperties/Any(ep: e/id eq '${COLOUR}' and e/value eq 'x')`, 'another variable'],
  ])('is refused: %s (%s)', async (filter) => {
    const answer = await list(filter);
    expect([answer.status, answer.json.error.code]).toEqual([400, 'ErrorInvalidUrlQueryFilter']);
  });
});
