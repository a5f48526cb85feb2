// The first frame, where the page cannot go on: the browser is too old for it, or a file
// of it does not come or is not understood. What is said stands in index.html. This is
// written so that old browsers run it.
(function () {
  var root = document.documentElement;
  var able = typeof WebAssembly === 'object' && 'noModule' in document.createElement('script') && 'with' in Array.prototype && 'hasOwn' in Object
    && typeof HTMLDialogElement === 'function' && typeof TransformStream === 'function';
  root.setAttribute('data-first', able ? 'waits' : 'old');

  // Once the page stands it says itself what is wrong.
  addEventListener('error', function (event) {
    if (able && document.querySelector('.first')) root.setAttribute('data-first', 'failed');
  }, true);
})();
