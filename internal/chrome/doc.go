// Package chrome drives Chromium for tests of pages that this repository serves: a
// browser for each test, and in it tabs that notice what no page of ours may do: a
// message of an error on its console, a violation of its policy, a request to anywhere
// but its server.
//
//	tab := chrome.Open(t, "http://127.0.0.1:"+port+"/", 1280, 800)
//	tab.Click("#play")
//
// Where Chromium is missing, the test is skipped, with package need.
package chrome
