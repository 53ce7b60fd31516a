import type { ScanProgress } from '../../api/types';

/** How much of a scan is done, 0 to 1: by bytes where bytes must be read, else by files; `undefined` while counting. */
export function scanShare(scan: ScanProgress): number | undefined {
  if (scan.state === 'done') return 1;
  if (scan.state === 'listing' || scan.state === 'queued') return undefined;
  if (scan.bytes_total > 0) return Math.min(1, scan.bytes_done / scan.bytes_total);
  return scan.files_total > 0 ? Math.min(1, scan.files_done / scan.files_total) : undefined;
}
