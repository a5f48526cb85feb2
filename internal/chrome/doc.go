// Package chrome drives Chromium for tests of pages that this repository serves: a
// browser for each test, or one for all of a package, and in it tabs that notice what no
// page of ours may do: a message of an error on its console, a violation of its policy,
// a request to anywhere but its server, by the page or by a worker.
//
//	func TestMain(m *testing.M) { chrome.Main(m) } // one browser for all
//
//	tab := chrome.Open(t, "http://127.0.0.1:"+port+"/", 1280, 800)
//	tab.Click("#play")
//	tab.Drag(tab.Middle(".head"), place, nil)
//
// Where Chromium is missing, the test is skipped, with package need.
package chrome
