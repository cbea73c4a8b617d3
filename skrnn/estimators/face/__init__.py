"""What all estimators are made of: settings, readers, targets, declared state, and the one skeleton of those that are trained."""
