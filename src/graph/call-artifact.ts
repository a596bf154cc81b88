import { z } from 'zod';
import type { GraphCallArtifact } from './types.ts';
import { instant, optionalInstant, optionalText } from './wire.ts';

/** A callRecording or callTranscript of a list. Microsoft Learn: resources/callrecording, resources/calltranscript. */
export const callArtifact: z.ZodType<GraphCallArtifact> = z
  .object({
    id: z.string(),
    meetingId: optionalText,
    callId: optionalText,
    contentCorrelationId: optionalText,
    createdDateTime: instant,
    endDateTime: optionalInstant,
  })
  .transform(({ createdDateTime, endDateTime, ...rest }) => ({
    ...rest,
    createdAt: createdDateTime,
    endedAt: endDateTime,
  }));
