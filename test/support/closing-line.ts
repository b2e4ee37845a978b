/** Jest reporter: the one closing line that CI reads. */
export default class ClosingLine {
  onRunComplete(
    _contexts: unknown,
    results: {
      numPassedTests: number;
      numFailedTests: number;
      numPendingTests: number;
      numRuntimeErrorTestSuites: number;
    },
  ): void {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    console.log(`${results.numPassedTests} passed, ${failed} failed, ${results.numPendingTests} skipped`);
  }
}
