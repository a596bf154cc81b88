import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphAttendanceReport, GraphClient } from '../../graph/types.ts';
import { explain, toUserError, type UserError } from '../failures.ts';
import type { Meeting } from '../meetings/meeting.ts';
import type { Scope, ServiceTools } from '../scope.ts';

/**
 * Stores the attendance reports of a meeting where the app may read them, which is optional.
 *
 * @param hasNews whether the same look found that there was another call
 * @returns why they could not be read; nothing where nobody granted the permission
 */
export type CaptureAttendance = (
  scope: Scope,
  graph: GraphClient,
  organizerId: string,
  meeting: Meeting,
  hasNews: boolean,
) => Promise<UserError[]>;

/** Microsoft Learn: meetingattendancereport-list. */
const ROLE = 'OnlineMeetingArtifact.Read.All';

/** A report is made when its call is over; so long after the end of the meeting it is looked for without other news. */
const REPORTED_AFTER_MS = 30 * 60_000;

export function makeCaptureAttendance(tools: ServiceTools): CaptureAttendance {
  async function isStored(scope: Scope, meetingId: string): Promise<boolean> {
    return (await scope.db.run((prisma) => prisma.attendanceReport.count({ where: { meetingId } }))) > 0;
  }

  async function store(scope: Scope, meetingId: string, reports: readonly GraphAttendanceReport[]): Promise<void> {
    await scope.db.run((prisma) =>
      prisma.attendanceReport.createMany({
        data: reports.map(({ id, records, ...report }) => ({
          ...report,
          id: tools.newId(),
          meetingId,
          graphReportId: id,
          records: records.map((record) => ({ ...record })),
        })),
        skipDuplicates: true,
      }),
    );
  }

  return async (scope, graph, organizerId, meeting, hasNews) => {
    if (meeting.graphOnlineMeetingId === null) return [];
    try {
      if (!(await graph.grantedRoles()).has(ROLE)) return [];
      const isReported = tools.clock().getTime() - meeting.endsAt.getTime() >= REPORTED_AFTER_MS;
      if (!hasNews && (!isReported || (await isStored(scope, meeting.id)))) return [];
      const reports = await graph.attendance.list(organizerId, meeting.graphOnlineMeetingId);
      if (reports.length > 0) await store(scope, meeting.id, reports);
      return [];
    } catch (error) {
      if (!(error instanceof GraphRequestError)) throw error;
      const { code, graphRequestId } = explain(error);
      const fields = { tenantId: scope.db.tenantId, meetingId: meeting.id, outcome: code, graphRequestId };
      tools.logger.warn(fields, '[TeamsMeetings] operation=attendance the reports were not read');
      return [toUserError(error, ['attendanceReports'])];
    }
  };
}
