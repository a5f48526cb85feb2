// What is sorted is searched by halves.

/**
 * lastUpTo is the place of the last of so many values that is at most bound, -1 without
 * one. The values ascend; value gives one of them by its place.
 */
export function lastUpTo(length, value, bound) {
  let low = 0;
  let high = length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (value(mid) <= bound) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}
