/** Rivera stops looking for more once a request has so many faults: finding and wording them takes time. */
const MAX_FAULTS = 1000;

/** Validation is synchronous, so there is one at most under way; between two of them nothing is bounded. */
let faultsLeft = Number.POSITIVE_INFINITY;

/** Runs a validation in which no further object is looked into after `MAX_FAULTS` faults. */
export function withFaultBudget<T>(validation: () => T): T {
  faultsLeft = MAX_FAULTS;
  try {
    return validation();
  } finally {
    faultsLeft = Number.POSITIVE_INFINITY;
  }
}

export function countFault(): void {
  faultsLeft -= 1;
}

export function isFaultBudgetSpent(): boolean {
  return faultsLeft <= 0;
}
