import { cloudHosts } from '../../graph/clouds.ts';
import type { GraphArtifactChanges, GraphArtifactKind, GraphClient } from '../../graph/types.ts';
import type { Asked, Checklist, Consequences, Failure } from './checklist.ts';
import { type ProbeContext, withoutRole } from './probe-context.ts';

const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

/** Microsoft Learn: cloud-communication-online-meeting-application-access-policy. */
const POLICY_TAKES_MINUTES = 30;

/** Well-formed and certainly nobody's: with it the policy is tested without touching a meeting. */
function probeJoinUrl({ cloud }: GraphClient): string {
  return `https://${cloudHosts(cloud).teams}/l/meetup-join/19%3ameeting_verification-probe%40thread.v2/0`;
}

/** A transcript with which to see whether transcripts come with the names of the speakers. */
export interface KnownTranscript {
  onlineMeetingId: string;
  transcriptId: string;
}

/**
 * The check `policy`. Graph tells nobody what was granted or when (there is no read for these policies), so a policy
 * that is missing and one that was granted a moment ago look the same: the words leave both open, and say since when
 * our own verifications have missed it.
 *
 * @param missingSince when a verification first missed it, and every one since; null for none
 * @returns what later checks may take for a consequence of this one
 */
export async function probePolicy(
  context: ProbeContext,
  list: Checklist,
  missingSince: Date | null,
): Promise<Consequences> {
  const { graph, userId, tools } = context;
  const asked = await list.ask((call) => graph.onlineMeetings.findByJoinUrl(userId, probeJoinUrl(graph), call));
  const { failure } = asked;
  // Whether the link or the policy is looked at first is not documented: a complaint about the link is none about the policy.
  const isAboutLink = failure?.kind === 'INVALID_REQUEST' || failure?.kind === 'NOT_FOUND';
  if (failure === undefined || isAboutLink) {
    list.found('policy', 'The Teams application access policy lets the app act for the organizer.', asked);
    return {};
  }
  const isMissing = failure.kind === 'TEAMS_POLICY_MISSING';
  const told = isMissing ? { ...failure, ...missingPolicy(failure, missingSince, tools.clock()) } : failure;
  list.failed('policy', told, asked, withoutRole(context, 'OnlineMeetings.ReadWrite.All'));
  return consequencesOf('policy', failure);
}

function missingPolicy(failure: Failure, missingSince: Date | null, now: Date): Pick<Failure, 'detail' | 'remedy'> {
  const late = `A policy takes up to ${POLICY_TAKES_MINUTES} minutes after its grant to work, and answers may differ meanwhile; Microsoft does not tell when one was granted.`;
  if (missingSince === null) {
    return {
      detail: `${failure.detail} ${late}`,
      remedy: `${failure.remedy} If it was granted within the last ${POLICY_TAKES_MINUTES} minutes, only wait and verify again.`,
    };
  }
  const minutes = Math.floor((now.getTime() - missingSince.getTime()) / MINUTE_MS);
  const since = `Every verification since ${missingSince.toISOString().slice(0, 16).replace('T', ' ')} UTC has missed it.`;
  if (minutes < POLICY_TAKES_MINUTES) {
    return {
      detail: `${failure.detail} ${since} ${late}`,
      remedy: `${failure.remedy} If it has been granted already, verify again when ${POLICY_TAKES_MINUTES} minutes have passed since then.`,
    };
  }
  return {
    detail: `${failure.detail} ${since} ${late}`,
    remedy: `${failure.remedy} If it was granted more than ${POLICY_TAKES_MINUTES} minutes ago, compare: Get-CsApplicationAccessPolicy must list this app id, and the policy must be granted to the organizer itself or globally; a user has only one such policy, and an own one hides the global one.`,
  };
}

/**
 * The checks of what meetings bring: `recordings`, `transcript-access`, `transcripts` and `transcript-attribution`.
 *
 * @param known a stored transcript, for when the last day brought none
 */
export async function probeArtifacts(
  context: ProbeContext,
  list: Checklist,
  consequences: Consequences,
  known: KnownTranscript | null,
): Promise<void> {
  const [recordings, transcripts] = await Promise.all([
    changesOf(context, 'recordings', list),
    changesOf(context, 'transcripts', list),
  ]);
  const isGood = recordings.failure === undefined;
  if (isGood) list.found('recordings', 'The recordings of the organizer can be listed.', recordings);
  else {
    const causes = { ...consequences, ...withoutRole(context, 'OnlineMeetingRecording.Read.All') };
    list.failed('recordings', recordings.failure, recordings, causes);
  }
  await judgeTranscripts(
    context,
    list,
    transcripts,
    { ...consequencesOf('recordings', recordings.failure), ...consequences },
    known,
  );
}

/** The last day of what the organizer's meetings brought: narrow, so that the probe stays small. */
function changesOf({ graph, userId, tools }: ProbeContext, kind: GraphArtifactKind, list: Checklist) {
  const endsAt = tools.clock();
  const window = { startsAt: new Date(endsAt.getTime() - DAY_MS), endsAt };
  return list.ask((call) => graph.artifacts.changes(kind, userId, window, call));
}

/** What later checks fail by as well is no news; permissions differ from check to check. */
function consequencesOf(name: string, failure: Failure | undefined): Consequences {
  return failure?.kind && failure.kind !== 'ROLE_MISSING' ? { [failure.kind]: name } : {};
}

/**
 * Whether Microsoft looks at the directory's switch or at permission and policy first is not documented: what one
 * refusal hides is skipped, not guessed.
 */
async function judgeTranscripts(
  context: ProbeContext,
  list: Checklist,
  asked: Asked<GraphArtifactChanges>,
  consequences: Consequences,
  known: KnownTranscript | null,
): Promise<void> {
  const { failure } = asked;
  if (failure === undefined) {
    list.found('transcript-access', 'The directory lets apps read transcripts.', asked);
    list.found('transcripts', 'The transcripts of the organizer can be listed.', asked);
    await probeAttribution(context, list, newestOf(asked) ?? known);
  } else if (failure.kind === 'TRANSCRIPT_ACCESS_DISABLED') {
    list.failed('transcript-access', failure, asked);
    list.skip(['transcripts', 'transcript-attribution'], 'Not run, because the check transcript-access failed.');
  } else {
    list.skip(['transcript-access'], 'Cannot be told while transcripts cannot be listed.');
    const causes = { ...consequences, ...withoutRole(context, 'OnlineMeetingTranscript.Read.All') };
    list.failed('transcripts', failure, asked, causes);
    list.skip(['transcript-attribution'], 'Not run, because transcripts cannot be listed.');
  }
}

function newestOf(asked: Asked<GraphArtifactChanges>): KnownTranscript | null {
  const found = (asked.value?.artifacts ?? []).flatMap(({ id, meetingId, createdAt }) =>
    meetingId === null ? [] : [{ transcriptId: id, onlineMeetingId: meetingId, createdAt }],
  );
  return found.reduce<(typeof found)[number] | null>(
    (newest, one) => (newest === null || one.createdAt > newest.createdAt ? one : newest),
    null,
  );
}

/** Only the content of a transcript shows it (Microsoft Learn: calltranscript-get), so one is needed. */
async function probeAttribution(
  { graph, userId }: ProbeContext,
  list: Checklist,
  known: KnownTranscript | null,
): Promise<void> {
  const name = 'transcript-attribution';
  if (known === null) {
    list.skip([name], 'Shows only with a transcript, and there is none of the last day and none stored here.');
    return;
  }
  const asked = await list.ask((call) =>
    graph.transcripts.content(userId, known.onlineMeetingId, known.transcriptId, call),
  );
  if (asked.failure !== undefined) {
    list.skip([name], 'Shows only with a transcript, and the newest one could not be read.');
  } else if (asked.value.isSpeakerAttributed) {
    list.found(name, 'Transcripts come with the names of the speakers.', asked);
  } else {
    list.found(
      name,
      {
        detail: 'Transcripts come without the names of the speakers: the directory does not let apps read who spoke.',
        remedy:
          'A Teams administrator runs: Set-CsTeamsMeetingConfiguration -Identity Global -EnableAttributedTranscripts $true',
      },
      asked,
    );
  }
}
