/**
 * The products and gifts that the first migrations of payment and gift insert. No operator's call is in the audit for
 * them, so who compares the catalogue with the audit begins with these. A test compares them with the migrations.
 */

/** By product id: the price in fen, and the coins. */
export const firstProducts: Readonly<Record<number, { readonly price: number; readonly coins: number }>> = {
  6: { price: 3_000, coins: 300 },
  7: { price: 3_500, coins: 350 },
  8: { price: 4_000, coins: 400 },
  9: { price: 5_000, coins: 500 },
  10: { price: 10_000, coins: 1_000 },
};

/** By gift id: the price in coins. */
export const firstGifts: Readonly<Record<number, { readonly price: number }>> = {
  22: { price: 90 },
  23: { price: 20 },
  24: { price: 1 },
  25: { price: 500 },
  27: { price: 45 },
  28: { price: 45 },
  29: { price: 20 },
};

/** The purpose of the orders of every product that there is: coins, t_pay_topic.biz_code. */
export const rechargeBizCode = 10001;
