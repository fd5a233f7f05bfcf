/**
 * The id under which a dialog sends its act. A refusal uses an id up for ever, so the next press is another act under a
 * new one. After an attempt whose outcome is not known the id stays, whatever is answered later: the act may have been
 * carried out, and under another id it would be carried out twice.
 *
 * @param {() => string} make makes an id
 */
export function actId(make) {
  let id = make();
  let unsure = false;
  return {
    /** The id that was sent last. */
    get id() {
      return id;
    },
    /**
     * @template Answer
     * @param {(id: string) => Promise<Answer>} send fails with an ApiError
     */
    async send(send) {
      try {
        return await send(id);
      } catch (error) {
        unsure ||= !error.answered || error.retryable;
        if (!unsure) id = make();
        throw error;
      }
    },
  };
}
