import type { ItemDetail } from '../../api/types';
import type { Supply } from './supply';

/** Joins the exchange for an item; `null` where this browser cannot. */
export async function connect(_item: ItemDetail): Promise<Supply | null> {
  return null;
}
