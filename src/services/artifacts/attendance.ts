import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphAttendanceReport, GraphClient } from '../../graph/types.ts';
import { explain } from '../failures.ts';
import type { Meeting } from '../meetings/meeting.ts';
import type { Scope, ServiceTools } from '../scope.ts';

/**
 * Stores the attendance reports of meetings of one organizer where the app may read them, which is optional.
 *
 * @returns why they could not be read, by meeting; nothing where nobody granted the permission
 */
export type CaptureAttendance = (
  scope: Scope,
  graph: GraphClient,
  organizerId: string,
  meetings: readonly Meeting[],
) => Promise<Map<string, GraphRequestError>>;

/** Microsoft Learn: meetingattendancereport-list. */
const ROLE = 'OnlineMeetingArtifact.Read.All';

/** Without a token nothing is granted; that there is none was told by the other parts. */
async function isGranted(graph: GraphClient): Promise<boolean> {
  try {
    return (await graph.grantedRoles()).has(ROLE);
  } catch (error) {
    if (error instanceof GraphRequestError) return false;
    throw error;
  }
}

/** A text as the database takes it: guests choose their names. */
function storable(text: string | null): string | null {
  return text?.toWellFormed().replaceAll('\0', '\uFFFD') ?? null;
}

export function makeCaptureAttendance(tools: ServiceTools): CaptureAttendance {
  async function store(scope: Scope, meetingId: string, reports: readonly GraphAttendanceReport[]): Promise<void> {
    await scope.db.run((prisma) =>
      prisma.attendanceReport.createMany({
        data: reports.map(({ id, records, ...report }) => ({
          ...report,
          id: tools.newId(),
          meetingId,
          graphReportId: id,
          records: records.map(({ emailAddress, name, role, totalSeconds }) => ({
            emailAddress: storable(emailAddress),
            name: storable(name),
            role: storable(role),
            totalSeconds,
          })),
        })),
        skipDuplicates: true,
      }),
    );
  }

  return async (scope, graph, organizerId, meetings) => {
    const failures = new Map<string, GraphRequestError>();
    const byGraphId = new Map(meetings.map((meeting) => [meeting.graphOnlineMeetingId ?? '', meeting]));
    byGraphId.delete('');
    if (byGraphId.size === 0 || !(await isGranted(graph))) return failures;
    for (const [id, { reports, error }] of await graph.attendance.listOfMeetings(organizerId, [...byGraphId.keys()])) {
      const meetingId = byGraphId.get(id)?.id ?? '';
      if (reports.length > 0) await store(scope, meetingId, reports);
      // That there is nothing (any more) is an answer.
      if (error === null || error.kind === 'NOT_FOUND') continue;
      failures.set(meetingId, error);
      const { code, graphRequestId } = explain(error);
      const fields = { tenantId: scope.db.tenantId, meetingId, outcome: code, graphRequestId };
      tools.logger.warn(fields, '[TeamsMeetings] operation=attendance the reports were not read');
    }
    return failures;
  };
}
