import { describe, expect, it } from 'vitest';
import { readSdl, schemaElements } from './sdl.ts';

const agreed = schemaElements(readSdl('tests/contract/agreed.graphql'));
const ours = schemaElements(readSdl('schema.graphql'));

/** `Type.field(argument:)` -> `Type.field`, `Type.field` -> `Type`; undefined for a type. */
function parentOf(coordinate: string): string | undefined {
  const end = coordinate.includes('(') ? coordinate.indexOf('(') : coordinate.indexOf('.');
  return end < 0 ? undefined : coordinate.slice(0, end);
}

const isMissing = (coordinate: string): boolean => !ours.has(coordinate);
const shared = [...agreed].flatMap(([coordinate, element]) => {
  const own = ours.get(coordinate);
  return own ? [{ coordinate, element, own }] : [];
});

describe('schema.graphql beside the agreed contract', () => {
  it('has everything', () => {
    const missing = [...agreed.keys()].filter((coordinate) => {
      const parent = parentOf(coordinate);
      return isMissing(coordinate) && (parent === undefined || !isMissing(parent));
    });
    expect(missing).toEqual([]);
  });

  it('keeps types, nullability, defaults and interfaces', () => {
    expect(shared.length).toBeGreaterThan(300);
    const signatures = (side: 'element' | 'own') =>
      Object.fromEntries(shared.map((entry) => [entry.coordinate, entry[side].signature]));
    expect(signatures('own')).toEqual(signatures('element'));
  });

  it('keeps every directive', () => {
    const lost = shared.flatMap(({ coordinate, element, own }) =>
      element.directives.filter((directive) => !own.directives.includes(directive)).map((d) => `${coordinate} ${d}`),
    );
    expect(lost).toEqual([]);
  });

  it('demands no input that was not agreed', () => {
    const added = [...ours].filter(([coordinate, { isRequiredInput }]) => isRequiredInput && !agreed.has(coordinate));
    expect(added.map(([coordinate]) => coordinate)).toEqual([]);
  });

  it('describes every element', () => {
    const bare = [...ours].filter(([, { description }]) => !description).map(([coordinate]) => coordinate);
    expect(bare).toEqual([]);
  });

  it('says for every root field and added entity field which permission it needs', () => {
    const guarded = [...ours].filter(
      ([coordinate]) => /^(Query|Mutation|Appointment|Interaction)\.\w+$/.test(coordinate) && !isOfThePsa(coordinate),
    );
    const permissions = Object.fromEntries(
      guarded.map(([coordinate, { directives }]) => {
        const scope = directives.map((text) => /^@requiresScopes\(scopes: \[\["(\S+)"\]\]\)$/.exec(text)?.[1]);
        return [coordinate, directives.includes('@authenticated') ? scope.find((name) => name) : 'not authenticated'];
      }),
    );
    expect(permissions).toEqual({
      'Query.teamsMeetingCapability': 'teams_meeting:read',
      'Query.teamsMeeting': 'teams_meeting:read',
      'Query.teamsMeetings': 'teams_meeting:read',
      'Query.searchTranscripts': 'teams_artifact:read',
      'Query.teamsSettings': 'teams_settings:read',
      'Query.teamsDiagnostics': 'teams_settings:read',
      'Query.teamsSetupGuide': 'teams_settings:read',
      'Mutation.connectMicrosoftApp': 'teams_settings:update',
      'Mutation.updateTeamsSettings': 'teams_settings:update',
      'Mutation.verifyTeamsOrganizer': 'teams_settings:update',
      'Mutation.runTeamsDiagnostics': 'teams_settings:update',
      'Mutation.createTeamsMeeting': 'teams_meeting:write',
      'Mutation.rescheduleTeamsMeeting': 'teams_meeting:write',
      'Mutation.updateTeamsMeetingAttendees': 'teams_meeting:write',
      'Mutation.cancelTeamsMeeting': 'teams_meeting:write',
      'Mutation.retryTeamsMeeting': 'teams_meeting:write',
      'Mutation.refreshTeamsMeetingArtifacts': 'teams_artifact:refresh',
      'Appointment.teamsMeeting': 'teams_meeting:read',
      'Appointment.recordings': 'teams_artifact:read',
      'Appointment.transcripts': 'teams_artifact:read',
      'Interaction.teamsMeeting': 'teams_meeting:read',
      'Interaction.recordings': 'teams_artifact:read',
      'Interaction.transcripts': 'teams_artifact:read',
      'Interaction.suggestedAttendees': 'teams_meeting:read',
    });
  });
});

function isOfThePsa(coordinate: string): boolean {
  return coordinate.endsWith('.id') || (ours.get(coordinate)?.directives.includes('@external') ?? false);
}
