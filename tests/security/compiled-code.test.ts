import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { attempts } from './attempts.ts';
import { type Stage, setTheStage, tokenOfA } from './stage.ts';

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await setTheStage();
  token = await tokenOfA(stage);
});
beforeEach(() => void Reflect.deleteProperty(globalThis, 'breached'));
afterAll(() => stage.subgraph.close());

/**
 * How graphql-jit 0.8 marks what it writes into its functions as it is (its execution.js, objectStringify): who sends the
 * mark would write code, which runs before anything is asked of a token.
 */
const MARKS = [
  '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d',
  '__MAGIC_NAN__57f286b9_4c20_487f_b409_79804ddcb4f8',
  '__MAGIC_PLUS_INFINITY__bb201c39_3333_4695_b4ad_7f1722e7aa7a',
];
const CODE = 'globalThis.breached=true';
const breach = () => Reflect.get(globalThis, 'breached');

describe('an operation that holds code', () => {
  const injections = attempts('code in an operation that is compiled');
  const places: [string, (text: string) => string][] = [
    ['an id', (text) => `{ teamsMeeting(id: ${text}) { id } }`],
    ['an instant', (text) => `{ teamsMeetings(filter: { startsFrom: ${text} }) { totalCount } }`],
    ['an input object', (text) => `{ teamsMeetings(filter: { clientId: ${text} }) { totalCount } }`],
    [
      'a representation',
      (text) => `{ _entities(representations: [{ __typename: "Appointment", id: ${text} }]) { __typename } }`,
    ],
    ['a default', (text) => `query ($id: ID! = ${text}) { teamsMeeting(id: $id) { id } }`],
    [
      'the default of an input object',
      (text) => `query ($f: TeamsMeetingFilter = { clientId: ${text} }) { teamsMeetings(filter: $f) { totalCount } }`,
    ],
    ['a mutation', (text) => `mutation { cancelTeamsMeeting(input: { meetingId: ${text} }) { userErrors { code } } }`],
    ['a fragment', (text) => `{ ...F } fragment F on Query { teamsMeeting(id: ${text}) { id } }`],
  ];
  for (const [place, operation] of places)
    injections(`does not run it: in ${place}`, async () => {
      for (const mark of MARKS)
        for (const literal of [`"${mark}${CODE}"`, `"""${mark}${CODE}"""`, `"x\\",${CODE},\\"${mark}"`])
          for (const who of [null, token, null, token]) {
            const { status } = await stage.subgraph.send(who, operation(literal));
            expect(status).toBeLessThan(500);
          }
      expect(breach()).toBeUndefined();
    });
  injections('does not run it: in an alias or a name of a type', async () => {
    for (const text of [
      `{ ${MARKS[0]}: teamsMeeting(id: "1") { id } }`,
      `query ${MARKS[0]} { teamsMeeting(id: "1") { ...${MARKS[0]} } } fragment ${MARKS[0]} on TeamsMeeting { id }`,
    ])
      for (const who of [null, token, null, token])
        expect((await stage.subgraph.send(who, text)).status).toBeLessThan(500);
    expect(breach()).toBeUndefined();
  });
  injections('does not run it: in a variable', async () => {
    for (const mark of MARKS)
      for (const who of [null, token, null, token])
        await stage.subgraph.send(who, 'query ($id: ID!) { teamsMeeting(id: $id) { id } }', { id: `${mark}${CODE}` });
    expect(breach()).toBeUndefined();
  });
});
