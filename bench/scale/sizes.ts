/** The books that are filled and measured. */
export interface Size {
  readonly accounts: number;
  readonly trades: number;
  /** How many of the trades are of the open month; the others are archived. */
  readonly hot?: number;
}

const sizes: readonly Size[] = [
  { accounts: 10_000, trades: 1_000_000 },
  { accounts: 100_000, trades: 1_000_000 },
  { accounts: 1_000_000, trades: 1_000_000 },
  { accounts: 1_000_000, trades: 30_000_000, hot: 3_000_000 },
];
const quickSizes: readonly Size[] = [
  { accounts: 10_000, trades: 1_000_000 },
  { accounts: 100_000, trades: 1_000_000 },
  { accounts: 100_000, trades: 3_000_000, hot: 300_000 },
];
/** The size that is measured with several wallet processes too. */
export const booksForNodes: Size = { accounts: 100_000, trades: 1_000_000 };

interface Choice {
  readonly quick: boolean;
  /** The last two sizes alone. */
  readonly archived: boolean;
  /** Books of so many accounts alone. */
  readonly accounts?: number;
}

/** `archived` with `accounts`: the pair, as large for its accounts as that of a million. */
export function chosenSizes({ quick, archived, accounts }: Choice): readonly Size[] {
  if (accounts === undefined) return (quick ? quickSizes : sizes).slice(archived ? -2 : 0);
  if (!archived) return [{ accounts, trades: accounts * 10 }];
  return [
    { accounts, trades: accounts },
    { accounts, trades: accounts * 30, hot: accounts * 3 },
  ];
}
