import type { ClaimedDelivery } from '../../actions/webhook-deliveries.ts';
import { timeOfId } from '../../domain/ids.ts';
import { toldEvent } from '../../domain/told-event.ts';
import { TEST_EVENT } from '../../domain/webhook-endpoint.ts';
import type { EventRow } from '../../store/events.read.ts';

/** What is posted of an event, the same to all endpoints that get it. */
export function bodyOf(row: EventRow): string {
  const { type, time, data } = toldEvent(row);
  return JSON.stringify({ type, timestamp: time.toISOString(), data });
}

/** What is posted to try an endpoint. */
export function testBody({ endpoint_id, event_id }: ClaimedDelivery): string {
  const timestamp = new Date(timeOfId(event_id)).toISOString();
  return JSON.stringify({ type: TEST_EVENT, timestamp, data: { endpoint_id, text: 'This is a test.' } });
}
