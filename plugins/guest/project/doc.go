// Package project makes and builds the folders in which plugins are written:
//
//	err := project.New("hello", project.C)   // source, manifest, kit, test
//	s, err := project.Find("hello")          // which language is it?
//	module, err := s.Build(ctx)              // runs its compiler, adds the manifest
//
// A folder has one source: a .wat, .c or .ts file, or else a main package of Go.
// The file manifest beside it becomes the custom section tcpkit.manifest of the
// module, in the same way for all languages, since not all can make one.
package project
