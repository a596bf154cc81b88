import type { Meeting } from '../services/meetings/meeting.ts';
import type { Loaders } from './context.ts';

/** The meeting of an artifact that the viewer sees; they see the meeting too, unless it was deleted meanwhile. */
export async function meetingOf(loaders: Loaders, meetingId: string): Promise<Meeting> {
  const meeting = await loaders.meetingById.load(meetingId);
  if (meeting === null) throw new Error('The meeting of an artifact was deleted while it was being read');
  return meeting;
}
